-- How far each outbox has come, and not each node: two nodes that were given one name by mistake number their events each
-- for itself, and what the one told is not to count as told by the other. An empty outbox is one of an earlier version.

alter table node_progress add column outbox text not null default '';
-- When somebody else under the same name was last asked to wait.
alter table node_progress add column twin_at timestamptz;
alter table node_progress drop constraint node_progress_pkey;
alter table node_progress add primary key (node, outbox);
