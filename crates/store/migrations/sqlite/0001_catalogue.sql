-- Times are microseconds since 1970, truths are 0 or 1, lists and evidence are JSON: common to SQLite and PostgreSQL.
CREATE TABLE servers (
    id INTEGER PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    publisher TEXT,
    repository TEXT,
    package TEXT,
    registry TEXT,
    endpoint TEXT,
    transport TEXT,
    licence TEXT,
    description TEXT,
    language TEXT,
    visibility TEXT NOT NULL,
    from_tools BIGINT NOT NULL,
    tombstoned BIGINT NOT NULL DEFAULT 0,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);

CREATE INDEX servers_name ON servers (LOWER(name));

-- One identity names one server; a server may have several.
CREATE TABLE server_keys (
    identity TEXT PRIMARY KEY NOT NULL,
    server BIGINT NOT NULL REFERENCES servers (id)
);
CREATE INDEX server_keys_server ON server_keys (server);

CREATE TABLE server_sources (
    server BIGINT NOT NULL REFERENCES servers (id),
    source TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (server, source)
);

-- Servers with the same tools as another: `original` is empty where nobody can say which of them it is.
CREATE TABLE forks (
    server INTEGER PRIMARY KEY NOT NULL REFERENCES servers (id),
    kin BIGINT NOT NULL,
    original BIGINT REFERENCES servers (id),
    reason TEXT NOT NULL
);

CREATE TABLE tools (
    id INTEGER PRIMARY KEY NOT NULL,
    server BIGINT NOT NULL REFERENCES servers (id),
    name TEXT NOT NULL,
    title TEXT,
    description TEXT NOT NULL,
    input_schema TEXT,
    annotations TEXT,
    digest BLOB NOT NULL,
    class TEXT NOT NULL,
    severity TEXT NOT NULL,
    severity_fine TEXT NOT NULL,
    facets TEXT NOT NULL,
    confidence REAL NOT NULL,
    evidence TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    seen_run BIGINT NOT NULL,
    UNIQUE (server, name)
);

-- What a tool was before it changed.
CREATE TABLE tool_history (
    tool BIGINT NOT NULL REFERENCES tools (id),
    digest BLOB NOT NULL,
    class TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX tool_history_tool ON tool_history (tool);

-- What people say against the program's judgement. Rows are added, never changed: the last one holds.
CREATE TABLE overrides (
    id INTEGER PRIMARY KEY NOT NULL,
    server BIGINT NOT NULL REFERENCES servers (id),
    tool TEXT,
    field TEXT NOT NULL,
    value TEXT,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX overrides_server ON overrides (server);

CREATE TABLE import_runs (
    id INTEGER PRIMARY KEY NOT NULL,
    source TEXT NOT NULL,
    started BIGINT NOT NULL,
    finished BIGINT,
    position BIGINT NOT NULL DEFAULT 0,
    counts TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX import_runs_source ON import_runs (source);
