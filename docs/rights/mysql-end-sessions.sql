-- MySQL only, besides mysql-manager.sql: procedures by which the engine's login ends users and their sessions. A connection
-- with server: "mysql" calls revoke_user. Run it once per server, as its administrator, and again when it has changed, before
-- the deployment:
--
--   mysql < docs/rights/mysql-end-sessions.sql
--
-- The tests run it on MariaDB, where one privilege is spelled with a blank. It has not been run on MySQL yet.

-- The procedures keep it: their SQL is the same whatever mode the server is in.
SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES';

CREATE DATABASE IF NOT EXISTS credentials;

-- Nobody logs in as this account; the procedures act with its rights.
CREATE USER IF NOT EXISTS credentials_sessions@localhost ACCOUNT LOCK;
GRANT CONNECTION_ADMIN ON *.* TO credentials_sessions@localhost;
GRANT CREATE USER, PROCESS ON *.* TO credentials_sessions@localhost;
GRANT SELECT ON mysql.user TO credentials_sessions@localhost;

DROP PROCEDURE IF EXISTS credentials.revoke_user;
DROP PROCEDURE IF EXISTS credentials.end_sessions;
DROP PROCEDURE IF EXISTS credentials.kill_sessions;

DELIMITER //

-- Not for the engine's login. About 5 s at most, unless sessions take long to end.
CREATE DEFINER = credentials_sessions@localhost PROCEDURE credentials.kill_sessions(IN username VARCHAR(80))
SQL SECURITY DEFINER
BEGIN
  DECLARE attempt INT DEFAULT 0;
  WHILE attempt < 100 AND EXISTS (SELECT 1 FROM information_schema.processlist WHERE user = username) DO
    BEGIN
      DECLARE session_id BIGINT;
      DECLARE past_last INT DEFAULT 0;
      DECLARE sessions CURSOR FOR SELECT id FROM information_schema.processlist WHERE user = username;
      DECLARE CONTINUE HANDLER FOR NOT FOUND SET past_last = 1;
      -- A session that has ended by itself meanwhile.
      DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
      OPEN sessions;
      FETCH sessions INTO session_id;
      WHILE past_last = 0 DO
        KILL CONNECTION session_id;
        FETCH sessions INTO session_id;
      END WHILE;
      CLOSE sessions;
    END;
    SET attempt = attempt + 1;
    DO SLEEP(0.05);
  END WHILE;
  IF EXISTS (SELECT 1 FROM information_schema.processlist WHERE user = username) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sessions have not ended yet';
  END IF;
END//

-- For users that have been dropped, and for no others.
CREATE DEFINER = credentials_sessions@localhost PROCEDURE credentials.end_sessions(IN dropped VARCHAR(80))
SQL SECURITY DEFINER
BEGIN
  IF EXISTS (SELECT 1 FROM mysql.user WHERE User = dropped) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'end_sessions is for users that have been dropped';
  END IF;
  CALL credentials.kill_sessions(dropped);
END//

-- Ends every account of that name, from whatever host it may log in. Names that are made for this server begin with the mark:
-- such a one that is not there is gone already, another that is not there may be on another server. Where it fails, the
-- accounts stay, locked, so that the next attempt finds them.
CREATE DEFINER = credentials_sessions@localhost PROCEDURE credentials.revoke_user(
  IN username VARCHAR(80), IN mark VARCHAR(80))
SQL SECURITY DEFINER
BEGIN
  DECLARE accounts TEXT DEFAULT (
    SELECT GROUP_CONCAT('''', REPLACE(User, '''', ''''''), '''@''', REPLACE(Host, '''', ''''''), '''' SEPARATOR ', ')
    FROM mysql.user WHERE User = username);

  IF accounts IS NULL THEN
    CALL credentials.kill_sessions(username);
    IF mark = '' OR LEFT(username, CHAR_LENGTH(mark)) <> mark THEN
      SIGNAL SQLSTATE '45000'
        SET MESSAGE_TEXT = 'no account of this name, which is not of this server; is it on another?';
    END IF;
  ELSE
    SET @credentials_statement = CONCAT('ALTER USER ', accounts, ' ACCOUNT LOCK');
    PREPARE credentials_statement FROM @credentials_statement;
    EXECUTE credentials_statement;
    CALL credentials.kill_sessions(username);
    -- MySQL refuses it while an object names one of them as its definer.
    SET @credentials_statement = CONCAT('DROP USER ', accounts);
    PREPARE credentials_statement FROM @credentials_statement;
    EXECUTE credentials_statement;
    DEALLOCATE PREPARE credentials_statement;
    CALL credentials.kill_sessions(username);
  END IF;
END//

DELIMITER ;

-- The account whose rights they act with has to be allowed to run them, too.
GRANT EXECUTE ON PROCEDURE credentials.kill_sessions TO credentials_sessions@localhost;
GRANT EXECUTE ON PROCEDURE credentials.end_sessions TO credentials_sessions@localhost;
GRANT EXECUTE ON PROCEDURE credentials.revoke_user TO credentials_sessions@localhost;
GRANT EXECUTE ON PROCEDURE credentials.end_sessions TO credentials_manager@`%`;
GRANT EXECUTE ON PROCEDURE credentials.revoke_user TO credentials_manager@`%`;
