-- At the first start of the database in deploy/compose.yaml: the service owns its database and is no superuser.
\set password `cat /run/secrets/postgres/holdfast_password`
create role holdfast login password :'password';
create database holdfast owner holdfast;
