-- What has ended before its access tokens did, for gateway and rooms to refuse.
-- Rows are added under one lock that is held to the commit (auth/revocations.py), so who has seen an id has
-- seen all lower ones.
CREATE TABLE revocations (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id      uuid,    -- this session,
  user_id         bigint,  -- or every one of this account opened before `at`,
  deleted_user_id bigint,  -- or the account is gone. No foreign keys: these outlive what they speak of.
  at              timestamptz NOT NULL,
  CHECK (num_nonnulls(session_id, user_id, deleted_user_id) = 1)
);

-- Deletions are kept for ever, since rooms may hear of one late; the others until their tokens have ended.
CREATE INDEX revocations_deleted ON revocations (id) WHERE deleted_user_id IS NOT NULL;
CREATE INDEX revocations_passing ON revocations (at) WHERE deleted_user_id IS NULL;

CREATE INDEX sessions_ended ON sessions (least(idle_expires_at, expires_at, revoked_at));
