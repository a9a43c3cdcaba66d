-- The items, and the only way to write them. Why it is right stands in src/lib.rs.

-- Never gives a number twice, whatever becomes of the transaction that took it.
CREATE SEQUENCE doxa_version;

CREATE TABLE doxa_item (
    -- Compared and sorted by bytes, whatever language the database speaks.
    partition text COLLATE "C" NOT NULL,
    sort text COLLATE "C" NOT NULL,
    -- JSON as text: `json` and `jsonb` refuse \u0000, and `jsonb` forgets the order of keys.
    value text NOT NULL,
    version bigint NOT NULL,
    -- Microseconds since 1970.
    expires_at bigint,
    PRIMARY KEY (partition, sort)
);

-- What can be cleared away, the longest expired first.
CREATE INDEX doxa_item_expiry ON doxa_item (expires_at) WHERE expires_at IS NOT NULL;

-- Does all of the writes, and gives a version for each put; or none, and gives the first that is refused, counted from 1.
--
-- Write i is of kind 'put', 'delete' or 'check' and goes to (partitions[i], sorts[i]). expected[i] is null if any item or
-- none may be there, 0 if none may, and else the version that must. No two writes go to the same key.
CREATE FUNCTION doxa_transact(
    moment bigint,
    kinds text[],
    partitions text[],
    sorts text[],
    contents text[],
    expiries bigint[],
    expected bigint[],
    OUT refused bigint,
    OUT versions bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    lock bigint;
    expired record;
BEGIN
    FOR lock IN
        SELECT DISTINCT hashtextextended(write.sort, hashtextextended(write.partition, 0))
        FROM unnest(partitions, sorts) AS write (partition, sort)
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(lock);
    END LOOP;

    SELECT min(write.index) INTO refused
    FROM unnest(partitions, sorts, expected) WITH ORDINALITY AS write (partition, sort, expected, index)
    LEFT JOIN doxa_item AS item
        ON item.partition = write.partition AND item.sort = write.sort
        AND (item.expires_at IS NULL OR item.expires_at > moment)
    WHERE CASE
        WHEN write.expected IS NULL THEN false
        WHEN write.expected = 0 THEN item.version IS NOT NULL
        ELSE item.version IS DISTINCT FROM write.expected
    END;
    IF refused IS NOT NULL THEN
        RETURN;
    END IF;

    versions := ARRAY(
        SELECT CASE WHEN write.kind = 'put' THEN nextval('doxa_version') END
        FROM unnest(kinds) WITH ORDINALITY AS write (kind, index)
        ORDER BY write.index
    );

    DELETE FROM doxa_item AS item
    USING unnest(kinds, partitions, sorts) AS write (kind, partition, sort)
    WHERE write.kind = 'delete' AND item.partition = write.partition AND item.sort = write.sort;

    INSERT INTO doxa_item (partition, sort, value, version, expires_at)
    SELECT write.partition, write.sort, write.content, write.version, write.expiry
    FROM unnest(kinds, partitions, sorts, contents, versions, expiries)
        AS write (kind, partition, sort, content, version, expiry)
    WHERE write.kind = 'put'
    ON CONFLICT (partition, sort) DO UPDATE
        SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at;

    -- Twice as many as were written, so that what has expired cannot pile up. Last, and without waiting for anyone, for
    -- these keys have no lock.
    FOR expired IN
        SELECT item.partition, item.sort FROM doxa_item AS item
        WHERE item.expires_at <= moment
        ORDER BY item.expires_at LIMIT 2 * cardinality(kinds)
        FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM doxa_item AS item WHERE item.partition = expired.partition AND item.sort = expired.sort;
    END LOOP;
END;
$$;
