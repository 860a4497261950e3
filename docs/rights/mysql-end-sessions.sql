-- MySQL only, besides mysql-manager.sql: a procedure by which the engine's login ends the sessions of users that have been
-- dropped, and of no others. A connection with server: "mysql" calls it. Run it once per server, as its administrator:
--
--   mysql < docs/rights/mysql-end-sessions.sql
--
-- The tests run it on MariaDB, where the privilege is spelled CONNECTION ADMIN. It has not been run on MySQL yet.

CREATE DATABASE IF NOT EXISTS credentials;

-- Nobody logs in as this account; the procedure acts with its rights.
CREATE USER credentials_sessions@localhost ACCOUNT LOCK;
GRANT CONNECTION_ADMIN ON *.* TO credentials_sessions@localhost;
GRANT PROCESS ON *.* TO credentials_sessions@localhost;
GRANT SELECT ON mysql.user TO credentials_sessions@localhost;

DELIMITER //

CREATE DEFINER = credentials_sessions@localhost PROCEDURE credentials.end_sessions(IN dropped VARCHAR(80))
SQL SECURITY DEFINER
BEGIN
  DECLARE attempt INT DEFAULT 0;
  DECLARE session_id BIGINT;
  -- A session that has ended by itself meanwhile.
  DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;

  IF EXISTS (SELECT 1 FROM mysql.user WHERE user = dropped) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'end_sessions is for users that have been dropped';
  END IF;

  SET session_id = (SELECT MIN(id) FROM information_schema.processlist WHERE user = dropped);
  WHILE session_id IS NOT NULL AND attempt < 1000 DO
    KILL CONNECTION session_id;
    SET attempt = attempt + 1;
    DO SLEEP(0.005);
    SET session_id = (SELECT MIN(id) FROM information_schema.processlist WHERE user = dropped);
  END WHILE;

  IF session_id IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sessions could not be ended';
  END IF;
END//

DELIMITER ;

-- The account whose rights it acts with has to be allowed to run it, too.
GRANT EXECUTE ON PROCEDURE credentials.end_sessions TO credentials_sessions@localhost;
GRANT EXECUTE ON PROCEDURE credentials.end_sessions TO credentials_manager@`%`;
