-- How much of the journal these tables contain.
SELECT seq FROM watermark WHERE stream = 'ledger';
