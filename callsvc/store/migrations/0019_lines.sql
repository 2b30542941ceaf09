-- The line that a call came in on, by the id that it has among the lines that administrators edit.

alter table calls add column line text;
