-- What lists, counts and the page of changes are made from, without a look at the definitions themselves.
CREATE INDEX tools_listed ON tools (server, class, severity_fine, facets, changed);
CREATE INDEX tool_history_until ON tool_history (until);
