-- Tries at a password, and requests for letters, counted before they are made. A key is a digest of what is
-- counted (auth/attempts.py), so no address that somebody typed lies here.
CREATE TABLE attempts (
  key           bytea PRIMARY KEY,
  count         integer NOT NULL,      -- since the last success, or since it was forgotten
  last_at       timestamptz NOT NULL,
  blocked_until timestamptz NOT NULL,
  -- The right password came from here: until then what others do to the account does not slow this address.
  trusted_until timestamptz
);

CREATE INDEX attempts_last_at ON attempts (last_at);
