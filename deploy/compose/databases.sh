#!/bin/sh
# A database and a user for Airflow, and for MLflow; PostgreSQL's image runs this once, when its volume is empty.
set -eu
for name in airflow mlflow; do
    password=$(cat "/run/secrets/${name}_password")
    psql --username postgres --set ON_ERROR_STOP=1 --set "name=$name" --set "password=$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
SQL
done
