-- Rooms, the people in them, and what they said.

-- One row. `epoch` names this history: after restoring a backup set a new one
-- (UPDATE rooms.deployment SET epoch = gen_random_uuid()), and no client or cache
-- takes new events for old ones. `secret` makes cursors tamper-evident on every replica.
CREATE TABLE deployment (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch  uuid  NOT NULL DEFAULT gen_random_uuid(),
    secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
INSERT INTO deployment DEFAULT VALUES;

-- Names as their tokens last said, so that history needs nobody else.
CREATE TABLE people (
    user_id      bigint PRIMARY KEY,
    display_name text NOT NULL
);

CREATE TABLE rooms (
    id               uuid PRIMARY KEY DEFAULT uuidv7(),
    name             text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    topic            text NOT NULL DEFAULT '' CHECK (char_length(topic) <= 500),
    visibility       text NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    max_participants integer NOT NULL CHECK (max_participants BETWEEN 1 AND 500),
    owner_id         bigint NOT NULL REFERENCES people,
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- Counts changes of who is in and how: a replica that knows a lower one loads the roster again.
    roster_version   bigint NOT NULL DEFAULT 0
);
-- The list is read by id, since a UUIDv7 is its time.
CREATE INDEX rooms_public ON rooms (id DESC) WHERE visibility = 'public';

-- Each stay as a member has a number of its own: a websocket of an earlier one is no longer good.
CREATE SEQUENCE visits;

-- Membership lasts from the first join to leaving.
CREATE TABLE members (
    room_id   uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id   bigint NOT NULL REFERENCES people,
    role      text NOT NULL CHECK (role IN ('owner', 'moderator', 'member', 'listener')),
    muted_by  text CHECK (muted_by IN ('self', 'moderator')),  -- null: not muted
    joined_at timestamptz NOT NULL DEFAULT now(),
    read_seq  bigint NOT NULL DEFAULT 0,
    visit     bigint NOT NULL DEFAULT nextval('visits'),
    PRIMARY KEY (room_id, user_id)
);
CREATE INDEX members_by_person ON members (user_id);

-- A lease: counted against max_participants while it runs, under a lock on the room's row.
CREATE TABLE seats (
    room_id    uuid NOT NULL,
    user_id    bigint NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (room_id, user_id),
    FOREIGN KEY (room_id, user_id) REFERENCES members ON DELETE CASCADE
);

-- Who is connected, and to which replica of this service; a lease too, so a replica that dies is forgotten.
CREATE TABLE presence (
    room_id    uuid NOT NULL,
    user_id    bigint NOT NULL,
    replica    uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (room_id, user_id, replica),
    FOREIGN KEY (room_id, user_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX presence_expiry ON presence (expires_at);

-- The end of each room's log. Whoever appends holds this row, so commits are in the order of seq, without holes.
CREATE TABLE heads (
    room_id  uuid PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    last_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE messages (
    id            uuid PRIMARY KEY DEFAULT uuidv7(),
    room_id       uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq           bigint NOT NULL CHECK (seq > 0),
    user_id       bigint NOT NULL REFERENCES people,
    client_msg_id text,
    text          text NOT NULL,
    reply_to      uuid,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    edited_at     timestamptz,
    deleted_at    timestamptz,
    UNIQUE (room_id, seq),
    UNIQUE (room_id, user_id, client_msg_id)
);
