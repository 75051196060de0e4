-- What `Idempotency-Key` was sent with, for 24 hours: the answer can be made again from this and the body.
CREATE TABLE idempotency_keys (
    user_id         bigint NOT NULL,
    key             text NOT NULL,
    body_sha256     bytea NOT NULL,
    room_id         uuid NOT NULL,  -- stays when the room goes: the first answer is the answer
    room_created_at timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
