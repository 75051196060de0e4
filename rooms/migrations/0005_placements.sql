-- Which media worker has a room's voices (rooms/placement.py). A room without a row has never had any.
CREATE TABLE placements (
    room_id    uuid PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    worker     text NOT NULL,  -- its address, as MEDIA_ADDR has it
    generation bigint NOT NULL  -- counted up each time the room is placed; workers refuse an older one
);
