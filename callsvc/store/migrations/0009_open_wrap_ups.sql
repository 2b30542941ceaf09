-- Looked at each second while anybody watches; the many that are done stay out of the way.

create index wrap_ups_open on wrap_ups (call_id) where state <> 'done';
