-- A balance is written again by every batch that touches its pair, and neither key of its table ever
-- changes: with room on its page the new row stays there, and no index hears of it. Rows beyond 2 KB (two
-- years of contact) were compressed each time, which cost more than all else; they are kept as they are.
ALTER TABLE views.balances SET (fillfactor = 50, toast_tuple_target = 8160);
