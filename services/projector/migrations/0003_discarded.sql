-- Parked events that an operator decided to do without, and why. Not a read model: what was decided
-- stays decided when the views are built anew. The event stays in `parked`, whole, where it is counted.
CREATE TABLE views.discarded (
    journal      text        COLLATE "C" NOT NULL,
    position     bigint      NOT NULL,
    event_id     uuid        NOT NULL,
    reason       text        NOT NULL CHECK (reason <> ''),
    discarded_by text        NOT NULL,
    discarded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (journal, position, event_id)
);
GRANT SELECT, INSERT, DELETE ON views.discarded TO rapport_projector;
