-- The login that the secrets engine uses on MySQL or MariaDB, and the database that it hands out rights on: no superuser.
-- The tests use this file. There is no Terraform provider for MySQL here, so this half is SQL, to be run once per server by
-- its administrator, with the password in a variable and on no command line:
--
--   { printf "SET @password = '%s';\n" "$(cat password-file)"; cat docs/rights/mysql-manager.sql; } | mariadb
--
-- Replace "echo" by your database, and SELECT by what your roles hand out: nobody can grant what he does not have himself.
-- In the name of a database `_` and `%` are wildcards here: write my\_db for my_db, as the roles do.
--
-- MariaDB: CREATE USER reaches every account of the server, root as well. Give such a server to one team, and keep the
-- login's password to the engine: rotate the connection's root credential after the first deployment.

CREATE DATABASE IF NOT EXISTS `echo`;

SET @statement = CONCAT('CREATE USER credentials_manager@`%` IDENTIFIED BY ', QUOTE(@password), ' REQUIRE SSL');
PREPARE create_manager FROM @statement;
EXECUTE create_manager;
DEALLOCATE PREPARE create_manager;
SET @statement = NULL, @password = NULL;

GRANT CREATE USER ON *.* TO credentials_manager@`%`;
GRANT SELECT ON `echo`.* TO credentials_manager@`%` WITH GRANT OPTION;

-- MariaDB, to end sessions by KILL USER. MySQL has no such statement: leave this out there and run mysql-end-sessions.sql.
GRANT CONNECTION ADMIN ON *.* TO credentials_manager@`%`;
