-- People whose account is gone: they keep their row, since their messages stay, but not their name.
ALTER TABLE people ADD COLUMN deleted_at timestamptz;

-- The last deletion that was dealt with, by auth's number of it.
ALTER TABLE deployment ADD COLUMN deletions_seen bigint NOT NULL DEFAULT 0;
