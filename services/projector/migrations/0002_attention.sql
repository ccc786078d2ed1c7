-- Attention: what is open, and the log of what was raised and cleared, which is its own outbox.
-- Not read models: the log is what subscribers were told, so a rebuild of the views neither deletes
-- nor repeats it. Days are days, instants microseconds, both since 2000-01-01 UTC.

-- How many changes the log of a journal has. The incarnation tells a log from one that was lost.
CREATE TABLE views.attention_journals (
    journal     text   COLLATE "C" PRIMARY KEY,
    incarnation uuid   NOT NULL DEFAULT gen_random_uuid(),
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0)
);

-- The day a tenant was turned through: moved in the transaction that writes what it changed.
-- position: the last one that the turn of the day knew of.
CREATE TABLE views.attention_tenants (
    journal     text    COLLATE "C" NOT NULL,
    tenant      text    COLLATE "C" NOT NULL,
    day         integer NOT NULL,
    position    bigint  NOT NULL,
    policy_hash text    NOT NULL,
    PRIMARY KEY (journal, tenant)
);

-- The items that are open, as of the day turned through. a, b: the canonical ids of the relationship
-- that an item is about, null about a party. numbers: JSON of the figures behind it. contacts, last_us
-- and policy_hash: what it was computed with (domain.attention.items.Trace).
CREATE TABLE views.attention_items (
    journal     text     COLLATE "C" NOT NULL,
    tenant      text     COLLATE "C" NOT NULL,
    item        text     COLLATE "C" NOT NULL,
    person      text     COLLATE "C" NOT NULL,
    rule        text     COLLATE "C" NOT NULL,
    about       text     COLLATE "C" NOT NULL,
    a           text     COLLATE "C",
    b           text     COLLATE "C",
    raised_on   integer  NOT NULL,
    at_stake_mp bigint   NOT NULL,
    why         text     NOT NULL,
    numbers     text     NOT NULL,
    event_ids   uuid[]   NOT NULL,
    contacts    integer  NOT NULL,
    last_us     bigint,
    policy_hash text     NOT NULL,
    PRIMARY KEY (journal, tenant, item)
);
CREATE INDEX attention_items_by_person
    ON views.attention_items (journal, tenant, person, at_stake_mp, item);

-- Every change, numbered 1, 2, 3 … per journal without gaps. raised: else it was cleared.
-- payload: the rapport.v1.WatchAttentionResponse, serialised once: what is published and streamed.
CREATE TABLE views.attention_log (
    journal        text    COLLATE "C" NOT NULL,
    number         bigint  NOT NULL CHECK (number > 0),
    tenant         text    COLLATE "C" NOT NULL,
    item           text    COLLATE "C" NOT NULL,
    raised         boolean NOT NULL,
    rule           text    COLLATE "C" NOT NULL,
    person         text    COLLATE "C" NOT NULL,
    on_day         integer NOT NULL,
    recorded_at_us bigint  NOT NULL,
    payload        bytea   NOT NULL,
    PRIMARY KEY (journal, number)
);
CREATE INDEX attention_log_by_tenant ON views.attention_log (journal, tenant, number);
CREATE INDEX attention_log_by_item ON views.attention_log (journal, tenant, item, number);

-- Who was there before begins on the day after: years of the past are nobody's news.
INSERT INTO views.attention_tenants (journal, tenant, day, position, policy_hash)
SELECT t.journal, t.tenant, t.day, 0, t.policy_hash
FROM views.tenants t;

GRANT SELECT, INSERT, UPDATE ON views.attention_journals TO rapport_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON views.attention_tenants, views.attention_items
    TO rapport_projector;
GRANT SELECT, INSERT ON views.attention_log TO rapport_projector;
