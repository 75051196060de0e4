-- What a letter's link carries, as its SHA-256: the link itself is in the letter alone.
CREATE TABLE mail_tokens (
  hash       bytea PRIMARY KEY,
  user_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  purpose    text NOT NULL CHECK (purpose IN ('verify', 'reset')),
  expires_at timestamptz NOT NULL
);

CREATE INDEX mail_tokens_user ON mail_tokens (user_id);
CREATE INDEX mail_tokens_expiry ON mail_tokens (expires_at);
