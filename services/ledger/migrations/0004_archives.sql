-- Closed partitions: frozen once, later detached to files and, when need be, attached again.
--
-- What is detached of a journal is always its beginning, and of that the events at home in a
-- relationship, which are nearly all. Events of people, organisations and tenants stay: the ledger
-- itself reads them (erasures, policies, sides), and they are few. event_keys stay whole.

-- Events up to this position are in files, those that stay excepted; 0: none are.
ALTER TABLE journal.journals ADD COLUMN detached_through bigint NOT NULL DEFAULT 0;
ALTER TABLE journal.journals
  ADD CONSTRAINT journals_detached CHECK (detached_through BETWEEN 0 AND head);

-- How many journals were beyond the partition when it was frozen; 0: it never was.
ALTER TABLE journal.partitions ADD COLUMN frozen_journals bigint NOT NULL DEFAULT 0;

-- One row a journal and range that was ever detached.
CREATE TABLE journal.archives (
  journal          text   COLLATE "C" NOT NULL,
  from_position    bigint NOT NULL,
  through_position bigint NOT NULL,
  incarnation      uuid   NOT NULL,   -- the journal's when it was detached
  moved_events     bigint NOT NULL,   -- of the range's, how many are in the file alone
  file_name        text   NOT NULL,
  file_sha256      bytea  NOT NULL,
  content_sha256   bytea  NOT NULL,   -- of the rows in order, whatever the file's format
  detached_at_us   bigint NOT NULL,
  attached_at_us   bigint,            -- NULL: it is detached
  CONSTRAINT archives_pkey PRIMARY KEY (journal, from_position),
  CONSTRAINT archives_journal FOREIGN KEY (journal) REFERENCES journal.journals (journal),
  CONSTRAINT archives_range CHECK (from_position BETWEEN 1 AND through_position)
);

GRANT SELECT ON journal.archives TO rapport_ledger;
