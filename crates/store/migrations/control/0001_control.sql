-- What a team decides: organisations, who belongs to them, servers, policies, grants, and what was done.
-- One text for SQLite and PostgreSQL: TEXT and BIGINT alone. Times are milliseconds since 1970, by the
-- clock of the database. `changed` is the version of the instance at which a row took its present form: a replica asks
-- for what is newer than what it has seen, so rows that replicas follow are marked as gone, not deleted.

-- `first` is the organisation whose admins run the instance.
CREATE TABLE instance (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    first TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Sealed values that belong to the instance: the key of token hashes, a value that a wrong key does not open.
CREATE TABLE instance_secret (
    name TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);

-- `counted_at` is when somebody was about to say that its counts begin: that is said once.
CREATE TABLE organisation (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    counted_at BIGINT,
    changed BIGINT NOT NULL
);

CREATE TABLE member (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    display TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    changed BIGINT NOT NULL,
    UNIQUE (organisation, name)
);

CREATE TABLE session (
    hash TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    member TEXT NOT NULL REFERENCES member (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_member ON session (member);

CREATE TABLE api_token (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    label TEXT NOT NULL,
    role TEXT NOT NULL,
    owner TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    changed BIGINT NOT NULL,
    UNIQUE (organisation, label)
);

CREATE TABLE agent (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    owner TEXT,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    gone_at BIGINT,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX agent_name ON agent (organisation, name) WHERE gone_at IS NULL;

-- `reach` and `settings` are JSON; secret values stand in `secret`, by the names that `reach` holds.
CREATE TABLE server (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    reach TEXT NOT NULL,
    settings TEXT NOT NULL,
    policy TEXT,
    created_at BIGINT NOT NULL,
    gone_at BIGINT,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX server_name ON server (organisation, name) WHERE gone_at IS NULL;
CREATE INDEX server_changed ON server (changed);

-- A value that an upstream is given, sealed to its place.
CREATE TABLE secret (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    object TEXT NOT NULL,
    field TEXT NOT NULL,
    sealed TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (object, field)
);

-- What people say of a tool against its own words.
CREATE TABLE tool_override (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    server TEXT NOT NULL REFERENCES server (id),
    tool TEXT NOT NULL,
    class TEXT,
    facets TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (server, tool)
);

-- `accepted` is the definition that counts, `seen` the one that the server shows and that waits.
CREATE TABLE pin (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    server TEXT NOT NULL REFERENCES server (id),
    tool TEXT NOT NULL,
    accepted TEXT,
    seen TEXT,
    accepted_by TEXT,
    accepted_at BIGINT,
    seen_at BIGINT,
    PRIMARY KEY (server, tool)
);

CREATE TABLE policy (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    published BIGINT,
    latest BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    gone_at BIGINT,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX policy_name ON policy (organisation, name) WHERE gone_at IS NULL;
CREATE INDEX policy_changed ON policy (changed);

-- Never updated, never deleted.
CREATE TABLE policy_version (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    policy TEXT NOT NULL REFERENCES policy (id),
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    digest TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (policy, version)
);

CREATE TABLE policy_publication (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    policy TEXT NOT NULL REFERENCES policy (id),
    version BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX policy_publication_policy ON policy_publication (policy, id);

CREATE TABLE access_grant (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    label TEXT NOT NULL,
    server TEXT NOT NULL REFERENCES server (id),
    agent TEXT NOT NULL REFERENCES agent (id),
    policy TEXT REFERENCES policy (id),
    owner TEXT,
    tags TEXT NOT NULL,
    networks TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX access_grant_label ON access_grant (server, label) WHERE revoked_at IS NULL;
CREATE INDEX access_grant_changed ON access_grant (changed);
CREATE INDEX access_grant_policy ON access_grant (policy);
CREATE INDEX access_grant_agent ON access_grant (agent);

-- While a token is being replaced, a grant has two.
CREATE TABLE grant_token (
    hash TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    access_grant TEXT NOT NULL REFERENCES access_grant (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX grant_token_grant ON grant_token (access_grant);

-- What is stopped: `kind` is grant, agent, server or organisation, `object` its id.
CREATE TABLE stop (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    reason TEXT NOT NULL,
    stopped_by TEXT NOT NULL,
    stopped_at BIGINT NOT NULL,
    resumed_at BIGINT,
    changed BIGINT NOT NULL,
    PRIMARY KEY (kind, object)
);
CREATE INDEX stop_changed ON stop (changed);

CREATE TABLE admin_event (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX admin_event_organisation ON admin_event (organisation, id);
CREATE INDEX admin_event_object ON admin_event (object, id);

-- Who serves calls, up to which version it has followed, and until when it may without asking again.
CREATE TABLE replica (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    applied BIGINT NOT NULL
);

-- An answer that is given again when the same request comes again.
CREATE TABLE idempotent (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, actor, key)
);
CREATE INDEX idempotent_created ON idempotent (created_at);

-- Decisions of all replicas, derived from the segments of their chains, and how far each chain has been read. What is
-- named here may be gone: nothing is referred to.
CREATE TABLE decision (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL,
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    access_grant TEXT NOT NULL,
    grant_label TEXT NOT NULL,
    agent TEXT,
    server TEXT,
    session TEXT,
    method TEXT,
    kind TEXT,
    name TEXT,
    effect TEXT NOT NULL,
    rule TEXT,
    policy TEXT,
    reason TEXT,
    approval TEXT,
    line TEXT NOT NULL,
    outcome TEXT,
    outcome_at BIGINT,
    duration_us BIGINT,
    outcome_line TEXT
);
CREATE INDEX decision_organisation ON decision (organisation, at, id);
CREATE INDEX decision_grant ON decision (organisation, access_grant, at, id);
-- Of few calls there is more to say than that they were forwarded; each index is paid by every call.
CREATE INDEX decision_effect ON decision (organisation, effect, at, id) WHERE effect <> 'allow';

CREATE TABLE shipped (
    chain TEXT NOT NULL PRIMARY KEY,
    segment BIGINT NOT NULL,
    place BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    head TEXT NOT NULL,
    ended BIGINT NOT NULL
);
