-- Roles and database for Rapport, for an administrator who does not let the owner make roles.
-- Run once by a superuser; then set the passwords (\password rapport_journal, …).
--
-- The group roles hold the rights, which the migrations grant; the logins are what the services'
-- DSNs name. Logins can be added and dropped without touching a right.

CREATE ROLE rapport_ledger NOLOGIN;
CREATE ROLE rapport_vault NOLOGIN;
CREATE ROLE rapport_vault_reader NOLOGIN;
CREATE ROLE rapport_projector NOLOGIN;

CREATE ROLE rapport_owner LOGIN;
CREATE ROLE rapport_journal LOGIN IN ROLE rapport_ledger;
CREATE ROLE rapport_vault_login LOGIN IN ROLE rapport_vault;
CREATE ROLE rapport_reader LOGIN IN ROLE rapport_vault_reader;
CREATE ROLE rapport_views LOGIN IN ROLE rapport_projector;

CREATE DATABASE rapport OWNER rapport_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE rapport FROM PUBLIC;
GRANT CONNECT ON DATABASE rapport
  TO rapport_ledger, rapport_vault, rapport_vault_reader, rapport_projector;
