-- v11 -> v12: Owners are counted
-- How often a process has taken the database over: the one that reads another
-- number in a transaction is not its owner any more.
CREATE TABLE owner (
	one   INTEGER PRIMARY KEY CHECK (one=1),
	epoch BIGINT NOT NULL
);
INSERT INTO owner (one, epoch) VALUES (1, 0);
