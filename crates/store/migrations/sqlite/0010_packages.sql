-- What the registry of a package says of it; times are those of its versions.
CREATE TABLE packages (
    server INTEGER PRIMARY KEY NOT NULL REFERENCES servers (id),
    version TEXT,
    versions BIGINT NOT NULL,
    first_published BIGINT,
    last_published BIGINT,
    publisher TEXT,
    repository TEXT,
    deprecated TEXT,
    seen BIGINT NOT NULL
);
