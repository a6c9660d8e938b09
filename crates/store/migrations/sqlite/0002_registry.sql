-- What a registry says of a server.
ALTER TABLE servers ADD COLUMN version TEXT;
ALTER TABLE servers ADD COLUMN auth TEXT;
ALTER TABLE servers ADD COLUMN registry_status TEXT;
ALTER TABLE servers ADD COLUMN registry_since BIGINT;

-- What a registry said of a server last, as JSON: its next word replaces that, and nothing that others said.
CREATE TABLE registry_entries (
    server INTEGER PRIMARY KEY NOT NULL REFERENCES servers (id),
    said TEXT NOT NULL
);

-- How far a registry is read: the newest change that runs which ended have seen, and the run that has not ended.
CREATE TABLE registries (
    address TEXT PRIMARY KEY NOT NULL,
    newest BIGINT,
    started BIGINT,
    since BIGINT,
    cursor TEXT,
    seen BIGINT,
    counts TEXT NOT NULL DEFAULT '{}'
);

-- Servers that could be taken for another.
CREATE TABLE impostors (
    server INTEGER PRIMARY KEY NOT NULL REFERENCES servers (id),
    original BIGINT REFERENCES servers (id),
    reason TEXT NOT NULL
);

-- Rows with what people say beside what the program says: the last word on a field holds, an empty one takes back.
CREATE INDEX overrides_field ON overrides (server, field, tool, id);

CREATE VIEW servers_said AS
SELECT s.*,
    (SELECT o.value FROM overrides o WHERE o.server = s.id AND o.field = 'publisher' AND o.tool IS NULL
        ORDER BY o.id DESC LIMIT 1) AS said_publisher,
    (SELECT o.value FROM overrides o WHERE o.server = s.id AND o.field = 'visibility' AND o.tool IS NULL
        ORDER BY o.id DESC LIMIT 1) AS said_visibility,
    (SELECT o.value FROM overrides o WHERE o.server = s.id AND o.field = 'verified' AND o.tool IS NULL
        ORDER BY o.id DESC LIMIT 1) AS said_verified,
    (SELECT o.value FROM overrides o WHERE o.server = s.id AND o.field = 'hidden' AND o.tool IS NULL
        ORDER BY o.id DESC LIMIT 1) AS said_hidden
FROM servers s;

CREATE VIEW tools_said AS
SELECT t.*,
    (SELECT o.value FROM overrides o WHERE o.server = t.server AND o.field = 'class' AND o.tool = t.name
        ORDER BY o.id DESC LIMIT 1) AS said_class,
    (SELECT o.value FROM overrides o WHERE o.server = t.server AND o.field = 'hidden' AND o.tool = t.name
        ORDER BY o.id DESC LIMIT 1) AS said_hidden
FROM tools t;
