SELECT name FROM where;
