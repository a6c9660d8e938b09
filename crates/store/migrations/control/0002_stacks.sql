-- Grants for several servers: where a grant leads stands in rows of its own, one for each server. SQLite takes no column
-- away that refers to another table, so the two tables that were there are made anew.

-- `stack`: 1 where its servers are offered as one, `search`: 1 where their tools are found by searching. The policy of a
-- grant for several spans them.
CREATE TABLE new_access_grant (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    label TEXT NOT NULL,
    agent TEXT NOT NULL REFERENCES agent (id),
    policy TEXT REFERENCES policy (id),
    owner TEXT,
    tags TEXT NOT NULL,
    networks TEXT NOT NULL,
    stack BIGINT NOT NULL,
    search BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    changed BIGINT NOT NULL
);
INSERT INTO new_access_grant (id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at,
                              expires_at, used_at, revoked_at, changed)
    SELECT id, organisation, label, agent, policy, owner, tags, networks, 0, 0, created_at, expires_at, used_at, revoked_at,
           changed
    FROM access_grant;

-- The servers of a grant in the order in which they are listed. `policy` holds on this one alone; `unprefixed`: 1 where its
-- tools keep their own names.
CREATE TABLE grant_server (
    access_grant TEXT NOT NULL REFERENCES new_access_grant (id),
    place BIGINT NOT NULL,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    server TEXT NOT NULL REFERENCES server (id),
    policy TEXT REFERENCES policy (id),
    unprefixed BIGINT NOT NULL,
    PRIMARY KEY (access_grant, place),
    UNIQUE (access_grant, server)
);
INSERT INTO grant_server (access_grant, place, organisation, server, unprefixed)
    SELECT id, 0, organisation, server, 0 FROM access_grant;

CREATE TABLE new_grant_token (
    hash TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    access_grant TEXT NOT NULL REFERENCES new_access_grant (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
INSERT INTO new_grant_token (hash, organisation, access_grant, created_at, expires_at)
    SELECT hash, organisation, access_grant, created_at, expires_at FROM grant_token;

DROP TABLE grant_token;
DROP TABLE access_grant;
ALTER TABLE new_access_grant RENAME TO access_grant;
ALTER TABLE new_grant_token RENAME TO grant_token;
CREATE INDEX access_grant_organisation ON access_grant (organisation, label) WHERE revoked_at IS NULL;
CREATE INDEX access_grant_changed ON access_grant (changed);
CREATE INDEX access_grant_policy ON access_grant (policy);
CREATE INDEX access_grant_agent ON access_grant (agent);
CREATE INDEX grant_server_server ON grant_server (server);
CREATE INDEX grant_server_policy ON grant_server (policy);
CREATE INDEX grant_token_grant ON grant_token (access_grant);
