CREATE TABLE accounts (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email          text NOT NULL,        -- as its owner writes it
  -- Lower case as auth/fields.py understands it: lower() here would depend on the database's locale.
  email_key      text NOT NULL CONSTRAINT accounts_email_taken UNIQUE,
  email_verified boolean NOT NULL DEFAULT false,
  display_name   text NOT NULL,
  avatar_url     text NOT NULL DEFAULT '',
  password_hash  text NOT NULL,        -- auth/passwords.py says in which form
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL
);

-- One login on one device. Refresh tokens are derived from (id, generation), never stored.
CREATE TABLE sessions (
  id              uuid PRIMARY KEY,
  user_id         bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  generation      integer NOT NULL,
  rotated_at      timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  last_used_at    timestamptz NOT NULL,
  idle_expires_at timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  revoked_at      timestamptz,
  address         text NOT NULL,
  user_agent      text NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_id);
