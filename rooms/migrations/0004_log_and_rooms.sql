-- The log holds more than messages; and what rooms are besides: locked, moderated, timed, entered by invite.

ALTER TABLE messages RENAME TO events;
ALTER TABLE events
    ADD COLUMN kind text NOT NULL DEFAULT 'chat' CHECK (kind IN (
        'chat', 'chat_edited', 'chat_deleted', 'chat_reaction', 'moderated', 'room_updated', 'timer')),
    -- The message that an edit, a deletion or a reaction is about. Its text stands there alone, as it is now:
    -- so what is deleted is gone from the whole log.
    ADD COLUMN about uuid,
    -- What else there is to say of this kind (rooms/core/events.py).
    ADD COLUMN body jsonb;
CREATE INDEX events_about ON events (about, kind, seq) WHERE about IS NOT NULL;
CREATE INDEX events_chat ON events (room_id, seq) INCLUDE (user_id) WHERE kind = 'chat' AND deleted_at IS NULL;
-- 'russian' stems Latin words as English. Lower case comes first, by Unicode: the parser knows only that of the
-- server's locale, which may be C. And who writes е for ё is understood.
CREATE FUNCTION plain(text text) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN translate(lower(text COLLATE pg_c_utf8), 'ё', 'е');
CREATE FUNCTION words_of(text text) RETURNS tsvector IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('russian', plain(text));
CREATE INDEX events_words ON events USING gin (words_of(text))
    WHERE kind = 'chat' AND deleted_at IS NULL;

-- A deleted room's log is erased in batches (rooms/log/erasure.py): until then its events outlive it. Nobody writes
-- one into a room that is gone, since there is no head to move.
ALTER TABLE events DROP CONSTRAINT messages_room_id_fkey;
CREATE TABLE deleted_rooms (
    room_id uuid PRIMARY KEY
);

-- Counted up when the fate of a write is not known and it is not in the log: it cannot come in any more.
ALTER TABLE heads ADD COLUMN fence bigint NOT NULL DEFAULT 0;

CREATE TABLE reactions (
    msg_id  uuid NOT NULL REFERENCES events ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES people,
    emoji   text NOT NULL,
    seq     bigint NOT NULL,  -- of the event that put it there
    PRIMARY KEY (msg_id, user_id, emoji)
);

ALTER TABLE rooms
    ADD COLUMN locked      boolean NOT NULL DEFAULT false,
    ADD COLUMN slow_mode_s integer NOT NULL DEFAULT 0 CHECK (slow_mode_s BETWEEN 0 AND 3600),
    ADD COLUMN listen_only boolean NOT NULL DEFAULT false;

ALTER TABLE members
    ADD COLUMN self_muted     boolean NOT NULL DEFAULT false,  -- under a moderator's mute: their own, from before
    ADD COLUMN hand_raised_at timestamptz,
    ADD COLUMN said_at        timestamptz;  -- kept in slow mode only

-- What somebody who left had been given or denied: it is theirs again when they come back.
CREATE TABLE parted (
    room_id uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES people,
    role    text NOT NULL CHECK (role IN ('moderator', 'member', 'listener')),
    muted   boolean NOT NULL,  -- by a moderator
    said_at timestamptz,       -- as in members
    PRIMARY KEY (room_id, user_id)
);

CREATE TABLE bans (
    room_id    uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES people,
    by_id      bigint NOT NULL REFERENCES people,
    created_at timestamptz NOT NULL DEFAULT now(),
    until      timestamptz,  -- null: until it is lifted
    PRIMARY KEY (room_id, user_id)
);

CREATE TABLE invites (
    code       text PRIMARY KEY,
    room_id    uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    created_by bigint NOT NULL REFERENCES people,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    max_uses   integer CHECK (max_uses > 0),
    uses       integer NOT NULL DEFAULT 0,
    revoked_at timestamptz
);
CREATE INDEX invites_by_room ON invites (room_id, created_at DESC);

-- Whom an invite has let in: each counts once.
CREATE TABLE invite_uses (
    code    text NOT NULL REFERENCES invites ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES people,
    PRIMARY KEY (code, user_id)
);

-- Opens one websocket, once. Only the hash is kept: who reads the tables cannot come in by it.
CREATE TABLE tickets (
    sha256       bytea PRIMARY KEY,
    room_id      uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id      bigint NOT NULL,
    session_id   text NOT NULL,
    display_name text NOT NULL,
    issued_at    double precision NOT NULL,  -- of the access token it was made with, unix seconds
    expires_at   double precision NOT NULL,
    good_until   timestamptz NOT NULL
);
CREATE INDEX tickets_by_age ON tickets (good_until);
CREATE INDEX tickets_by_person ON tickets (user_id, good_until);

-- The study timer; a room without a row never had one.
CREATE TABLE timers (
    room_id    uuid PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    state      text NOT NULL CHECK (state IN ('stopped', 'running', 'paused')),
    focus_s    integer NOT NULL CHECK (focus_s BETWEEN 60 AND 14400),
    break_s    integer NOT NULL CHECK (break_s BETWEEN 0 AND 3600),
    started_at timestamptz,  -- running: when the first cycle began, pauses taken out
    elapsed_ms bigint NOT NULL DEFAULT 0,  -- paused: how much of the cycles has passed
    set_by     bigint NOT NULL REFERENCES people
);
