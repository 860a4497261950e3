-- The login of the secrets engine. Only a superuser makes superusers, so this one is, and Terraform, which is none, cannot
-- make it. Run by a superuser, before the deployment, in a shell that has the variable:
--
--   psql --command='\set password `printf %s "$TF_VAR_manager_password"`' --file=engine-login.sql
CREATE ROLE vault_admin SUPERUSER LOGIN PASSWORD :'password';
