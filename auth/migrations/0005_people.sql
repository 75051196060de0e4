ALTER TABLE accounts
  ADD COLUMN administrator boolean NOT NULL DEFAULT false,
  ADD COLUMN disabled_at   timestamptz;

-- One row. The first account claims it, and is the administrator. A row to lock rather than "is there an
-- account": two people registering at once cannot both be first, and nobody becomes first again later.
CREATE TABLE installation (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  claimed boolean NOT NULL
);
INSERT INTO installation (claimed) SELECT EXISTS (SELECT FROM accounts);
UPDATE accounts SET administrator = true WHERE id = (SELECT min(id) FROM accounts);

-- A code that lets somebody register, as its SHA-256.
CREATE TABLE invites (
  hash       bytea PRIMARY KEY,
  uses_left  integer NOT NULL CHECK (uses_left >= 0),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);
