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

-- What follows is read the same way whatever mode the server is in.
SET SESSION sql_mode = '';

CREATE DATABASE IF NOT EXISTS `echo`;

SET @statement = CONCAT('CREATE USER credentials_manager@`%` IDENTIFIED BY ', QUOTE(@password), ' REQUIRE SSL');
PREPARE create_manager FROM @statement;
EXECUTE create_manager;
DEALLOCATE PREPARE create_manager;
SET @statement = NULL, @password = NULL;

GRANT CREATE USER ON *.* TO credentials_manager@`%`;
GRANT SELECT ON `echo`.* TO credentials_manager@`%` WITH GRANT OPTION;

-- MySQL: leave out what follows, and run mysql-end-sessions.sql.
-- MariaDB: to find the accounts of a user from whatever host they may log in, as an earlier version of the role may have
-- named another; to see what it may have made, and who acts as it by GRANT PROXY; to end sessions by KILL USER; to see a
-- transaction that a session has prepared in two phases.
GRANT SELECT (User, Host, password_expired, Event_priv, Trigger_priv, Create_view_priv, Create_routine_priv)
  ON mysql.user TO credentials_manager@`%`;
GRANT SELECT ON mysql.db TO credentials_manager@`%`;
GRANT SELECT ON mysql.tables_priv TO credentials_manager@`%`;
GRANT SELECT ON mysql.roles_mapping TO credentials_manager@`%`;
GRANT SELECT ON mysql.proxies_priv TO credentials_manager@`%`;
GRANT CONNECTION ADMIN, PROCESS ON *.* TO credentials_manager@`%`;
