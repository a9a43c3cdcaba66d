-- The items of the table port. Text is compared byte by byte, which is the order that the port promises.
CREATE TABLE item (
    partition  TEXT    NOT NULL,
    sort       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    -- In microseconds since 1970; none if the item never expires.
    expires_at INTEGER,
    -- JSON, exactly as it was given.
    value      TEXT    NOT NULL,
    PRIMARY KEY (partition, sort)
) STRICT, WITHOUT ROWID;

-- What can be cleared away, the longest expired first.
CREATE INDEX item_expiry ON item (expires_at) WHERE expires_at IS NOT NULL;

-- The last version that was given to an item; it only grows, so that no version is used twice.
CREATE TABLE sequence (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    last INTEGER NOT NULL
) STRICT;

INSERT INTO sequence (only, last) VALUES (1, 0);
