-- The read models: derived from the journal, disposable, in a schema of their own.
-- `journal` and `tenant` come first in every key, so that the tables distribute by journal.
-- Instants are microseconds, days are days, both since 2000-01-01 UTC. Relationships are raw pairs
-- a < b (byte order, hence COLLATE "C") of full names `people/{id}`.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rapport_projector') THEN
        CREATE ROLE rapport_projector NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE SCHEMA IF NOT EXISTS views;
GRANT USAGE ON SCHEMA views TO rapport_projector;

-- How far the read models of a journal have come. Moved in the transaction that writes them.
CREATE TABLE views.checkpoints (
    journal        text   COLLATE "C" PRIMARY KEY,
    incarnation    uuid   NOT NULL,
    position       bigint NOT NULL CHECK (position >= 0),
    recorded_at_us bigint NOT NULL
);

-- The last position of every instant of recording: "known at a time" is "up to a position".
CREATE TABLE views.ticks (
    journal        text   COLLATE "C" NOT NULL,
    recorded_at_us bigint NOT NULL,
    position       bigint NOT NULL,
    PRIMARY KEY (journal, recorded_at_us)
);

-- For which day and policy the standings of a tenant hold, and whether all of them do already.
CREATE TABLE views.tenants (
    journal     text    COLLATE "C" NOT NULL,
    tenant      text    COLLATE "C" NOT NULL,
    day         integer NOT NULL,
    policy_hash text    NOT NULL,
    built       boolean NOT NULL,
    PRIMARY KEY (journal, tenant)
);

-- Every touchpoint as recorded (payload) and as it stands now (the now_ columns).
-- initiative: the number of rapport.events.v1.Initiative as sent, 0 for the kind's default.
-- state: 1 effective, 2 corrected, 3 voided (rapport.v1.LineState).
CREATE TABLE views.touchpoints (
    journal            text     COLLATE "C" NOT NULL,
    tenant             text     COLLATE "C" NOT NULL,
    event_id           uuid     NOT NULL,
    a                  text     COLLATE "C" NOT NULL,
    b                  text     COLLATE "C" NOT NULL,
    position           bigint   NOT NULL,
    occurred_at_us     bigint   NOT NULL,
    recorded_at_us     bigint   NOT NULL,
    recorded_by        text     NOT NULL,
    payload            bytea    NOT NULL,
    state              smallint NOT NULL DEFAULT 1,
    now_occurred_at_us bigint   NOT NULL,
    now_initiator      text     COLLATE "C" NOT NULL,
    now_kind           text     COLLATE "C" NOT NULL,
    now_channel        text     COLLATE "C" NOT NULL,
    now_initiative     smallint NOT NULL,
    now_resolves       uuid,
    corrected_by       uuid,
    voided_by          uuid,
    now_occasion       uuid,
    PRIMARY KEY (journal, tenant, event_id)
);
CREATE INDEX touchpoints_by_pair ON views.touchpoints (journal, tenant, a, b, now_occurred_at_us, event_id);
CREATE INDEX touchpoints_by_pair_recorded ON views.touchpoints (journal, tenant, a, b, position);
CREATE INDEX touchpoints_by_a ON views.touchpoints (journal, tenant, a, now_occurred_at_us, event_id);
CREATE INDEX touchpoints_by_b ON views.touchpoints (journal, tenant, b, now_occurred_at_us, event_id);
CREATE INDEX touchpoints_by_a_recorded ON views.touchpoints (journal, tenant, a, position);
CREATE INDEX touchpoints_by_b_recorded ON views.touchpoints (journal, tenant, b, position);
CREATE INDEX touchpoints_incidents_by_a ON views.touchpoints (journal, tenant, a, now_occurred_at_us, event_id)
    WHERE now_kind = 'incident' AND state <> 3;
CREATE INDEX touchpoints_incidents_by_b ON views.touchpoints (journal, tenant, b, now_occurred_at_us, event_id)
    WHERE now_kind = 'incident' AND state <> 3;
CREATE INDEX touchpoints_by_occasion ON views.touchpoints (journal, tenant, now_occasion)
    WHERE now_occasion IS NOT NULL;
CREATE INDEX touchpoints_by_incident ON views.touchpoints (journal, tenant, now_resolves)
    WHERE now_resolves IS NOT NULL;

-- What points at another event: V Voided, C Corrected, E an end (AffiliationEnded, IdentityUnlinked).
-- a, b: the two people of a Corrected's touchpoint or of an end; null for a Voided.
CREATE TABLE views.amendments (
    journal        text   COLLATE "C" NOT NULL,
    tenant         text   COLLATE "C" NOT NULL,
    event_id       uuid   NOT NULL,
    target         uuid   NOT NULL,
    role           char   NOT NULL CHECK (role IN ('V', 'C', 'E')),
    position       bigint NOT NULL,
    occurred_at_us bigint NOT NULL,
    recorded_at_us bigint NOT NULL,
    recorded_by    text   NOT NULL,
    a              text   COLLATE "C",
    b              text   COLLATE "C",
    payload        bytea  NOT NULL,
    PRIMARY KEY (journal, tenant, event_id)
);
CREATE INDEX amendments_by_target ON views.amendments (journal, tenant, target, position);
-- A receipt also lists corrections whose original is unknown or another pair's.
CREATE INDEX amendments_by_pair ON views.amendments (journal, tenant, a, b) WHERE role = 'C';

-- The exact balance of a raw pair as buckets, under one policy, at the newest position.
-- buckets: JSON {"half-life": {"q": [know, care]}}, integers of any size. It answers days not before
-- through_day (the least integer while nothing was posted). contact_days: sorted days with a counted
-- contact, those to come included. A row for every pair that has a touchpoint, voided ones too.
CREATE TABLE views.balances (
    journal      text      COLLATE "C" NOT NULL,
    tenant       text      COLLATE "C" NOT NULL,
    a            text      COLLATE "C" NOT NULL,
    b            text      COLLATE "C" NOT NULL,
    policy_hash  text      NOT NULL,
    buckets      text      NOT NULL,
    through_day  integer   NOT NULL,
    contact_days integer[] NOT NULL,
    PRIMARY KEY (journal, tenant, a, b)
);
CREATE INDEX balances_by_b ON views.balances (journal, tenant, b, a);

-- The balance of a canonical pair on the tenant's day, for lists. last_contact_day: null for none.
CREATE TABLE views.standings (
    journal           text    COLLATE "C" NOT NULL,
    tenant            text    COLLATE "C" NOT NULL,
    a                 text    COLLATE "C" NOT NULL,
    b                 text    COLLATE "C" NOT NULL,
    day               integer NOT NULL,
    policy_hash       text    NOT NULL,
    know_mp           bigint  NOT NULL,
    care_mp           bigint  NOT NULL,
    buffer_mp         bigint  NOT NULL,
    contact_days      integer NOT NULL,
    first_contact_day integer,
    last_contact_day  integer,
    PRIMARY KEY (journal, tenant, a, b)
);
CREATE INDEX standings_by_b ON views.standings (journal, tenant, b, a);
CREATE INDEX standings_by_buffer ON views.standings (journal, tenant, buffer_mp, a, b);
CREATE INDEX standings_by_care ON views.standings (journal, tenant, care_mp, a, b);
CREATE INDEX standings_by_know ON views.standings (journal, tenant, know_mp, a, b);
CREATE INDEX standings_by_last_contact
    ON views.standings (journal, tenant, (coalesce(last_contact_day, -2147483648)), a, b);
CREATE INDEX standings_stale ON views.standings (journal, tenant, day, policy_hash, a, b);

-- Every party any event names. The columns from side on: the description in force, if any.
CREATE TABLE views.parties (
    journal        text     COLLATE "C" NOT NULL,
    tenant         text     COLLATE "C" NOT NULL,
    party          text     COLLATE "C" NOT NULL,
    first_position bigint   NOT NULL,
    side           smallint NOT NULL DEFAULT 0,
    team           text     COLLATE "C" NOT NULL DEFAULT '',
    tier           text     COLLATE "C" NOT NULL DEFAULT '',
    described_by   uuid,
    erased         boolean  NOT NULL DEFAULT false,
    PRIMARY KEY (journal, tenant, party)
);

-- Every PartyDescribed. In force on a day: the highest (occurred_at, position) not after it.
CREATE TABLE views.descriptions (
    journal        text   COLLATE "C" NOT NULL,
    tenant         text   COLLATE "C" NOT NULL,
    party          text   COLLATE "C" NOT NULL,
    occurred_at_us bigint NOT NULL,
    position       bigint NOT NULL,
    event_id       uuid   NOT NULL,
    recorded_at_us bigint NOT NULL,
    recorded_by    text   NOT NULL,
    side           smallint NOT NULL,
    team           text   COLLATE "C" NOT NULL,
    tier           text   COLLATE "C" NOT NULL,
    payload        bytea  NOT NULL,
    PRIMARY KEY (journal, tenant, party, occurred_at_us, position)
);
CREATE INDEX descriptions_by_event ON views.descriptions (journal, tenant, event_id);
CREATE INDEX descriptions_of_ours ON views.descriptions (journal, tenant, team, party) WHERE side = 1;
CREATE INDEX descriptions_by_time ON views.descriptions (journal, tenant, occurred_at_us);

-- Every identity link, strong and weak, a < b. Ended by amendments E, taken back by amendments V.
CREATE TABLE views.links (
    journal        text    COLLATE "C" NOT NULL,
    tenant         text    COLLATE "C" NOT NULL,
    event_id       uuid    NOT NULL,
    position       bigint  NOT NULL,
    recorded_at_us bigint  NOT NULL,
    a              text    COLLATE "C" NOT NULL,
    b              text    COLLATE "C" NOT NULL,
    strong         boolean NOT NULL,
    payload        bytea   NOT NULL,
    PRIMARY KEY (journal, tenant, event_id)
);
-- Weak links only propose: nothing follows them.
CREATE INDEX links_by_a ON views.links (journal, tenant, a, b) WHERE strong;
CREATE INDEX links_by_b ON views.links (journal, tenant, b, a) WHERE strong;
-- For reading them, weak ones too.
CREATE INDEX links_in_order ON views.links (journal, tenant, position);
CREATE INDEX links_proposed ON views.links (journal, tenant, position) WHERE NOT strong;
CREATE INDEX links_of_a ON views.links (journal, tenant, a, position);
CREATE INDEX links_of_b ON views.links (journal, tenant, b, position);

-- Who is the same human as somebody else now: a row for every id of a connected component of strong
-- links in force. canonical: the smallest id of the component. Who has no row is linked to nobody.
CREATE TABLE views.identities (
    journal   text COLLATE "C" NOT NULL,
    tenant    text COLLATE "C" NOT NULL,
    person    text COLLATE "C" NOT NULL,
    canonical text COLLATE "C" NOT NULL,
    PRIMARY KEY (journal, tenant, person)
);
CREATE INDEX identities_by_canonical ON views.identities (journal, tenant, canonical, person);

-- Every adopted policy. Taken back by amendments V.
CREATE TABLE views.policies (
    journal        text    COLLATE "C" NOT NULL,
    tenant         text    COLLATE "C" NOT NULL,
    position       bigint  NOT NULL,
    event_id       uuid    NOT NULL,
    recorded_at_us bigint  NOT NULL,
    name           text    NOT NULL,
    version        integer NOT NULL,
    hash           text    NOT NULL,
    effective_from integer NOT NULL,
    policy_json    text    NOT NULL,
    payload        bytea   NOT NULL,
    PRIMARY KEY (journal, tenant, position)
);

-- Facts of other types, for the views to come: affiliations, facts, dates, signals, lists, answers,
-- erasures, and types nobody knows yet. So every event is in exactly one of touchpoints, amendments,
-- descriptions, links, policies, other_facts and parked.
CREATE TABLE views.other_facts (
    journal        text   COLLATE "C" NOT NULL,
    tenant         text   COLLATE "C" NOT NULL,
    home           text   COLLATE "C" NOT NULL,
    position       bigint NOT NULL,
    event_id       uuid   NOT NULL,
    type           text   NOT NULL,
    occurred_at_us bigint NOT NULL,
    recorded_at_us bigint NOT NULL,
    recorded_by    text   NOT NULL,
    payload        bytea  NOT NULL,
    PRIMARY KEY (journal, tenant, home, position)
);

-- Which touchpoints say, or once said, that they fulfil a promise or need, by what they fulfil:
-- event_id is the original's, also where a Corrected said it. Whether one still does, its facts tell.
CREATE TABLE views.fulfilments (
    journal  text   COLLATE "C" NOT NULL,
    tenant   text   COLLATE "C" NOT NULL,
    target   uuid   NOT NULL,
    position bigint NOT NULL,
    event_id uuid   NOT NULL,
    PRIMARY KEY (journal, tenant, target, position)
);

-- Who ever began to belong to an organisation. The facts are in other_facts, at home with the person.
CREATE TABLE views.affiliations (
    journal      text   COLLATE "C" NOT NULL,
    tenant       text   COLLATE "C" NOT NULL,
    organization text   COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    person       text   COLLATE "C" NOT NULL,
    event_id     uuid   NOT NULL,
    PRIMARY KEY (journal, tenant, organization, position)
);

-- Events a projection could not take, whole, with the reason. Retried by command.
CREATE TABLE views.parked (
    journal        text        COLLATE "C" NOT NULL,
    position       bigint      NOT NULL,
    incarnation    uuid        NOT NULL,
    tenant         text        COLLATE "C" NOT NULL,
    event_id       uuid        NOT NULL,
    type           text        NOT NULL,
    home           text        NOT NULL,
    revision       bigint      NOT NULL,
    kind           text        NOT NULL,
    occurred_at_us bigint      NOT NULL,
    recorded_at_us bigint      NOT NULL,
    recorded_by    text        NOT NULL,
    schema_version integer     NOT NULL,
    payload        bytea       NOT NULL,
    reason         text        NOT NULL,
    parked_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (journal, position)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA views TO rapport_projector;
-- Which version the schema has, only who migrates it says.
REVOKE INSERT, UPDATE, DELETE ON views.schema_migrations FROM rapport_projector;

-- Statistics while the tables are young: without them a key looks as good as the journal and tenant
-- before it, and reads go by indexes that share no more than that. Later autovacuum sees to it in time.
CREATE FUNCTION views.gather_statistics() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'views.touchpoints'::regclass) > 100000 THEN
        RETURN false;
    END IF;
    ANALYZE views.touchpoints, views.amendments, views.balances, views.standings, views.parties,
        views.descriptions, views.links, views.identities, views.policies, views.other_facts,
        views.fulfilments, views.affiliations, views.ticks;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION views.gather_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION views.gather_statistics() TO rapport_projector;
