-- At the first start of the database in deploy/compose.yaml: the service owns its database and is no superuser.
\set password `cat /run/secrets/postgres/holdfast_password`
create role holdfast login password :'password';
grant pg_read_all_stats to holdfast; -- for /metrics: how far a standby is behind, how old the oldest transaction is
create database holdfast owner holdfast;
