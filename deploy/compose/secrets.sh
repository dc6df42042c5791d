#!/bin/sh
# secrets.sh [FOLDER]: make the secrets that compose.yaml names, in ./secrets; what is there already stays.
#
# Compose mounts them as they are, so that the users of the images have to be able to read them: the folder around them
# is closed to all but its owner.
set -eu
umask 022
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
keep() { [ -s "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"; }
have() { cat "$folder/$1"; }

for name in airflow_password mlflow_password postgres_password s3_secret_key api_key jwt_key; do
    keep "$name" "$(random)"
done
keep s3_access_key litegate
keep fernet_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
keep airflow_users "{\"admin\": \"$(random)\"}"
keep airflow_database "postgresql+psycopg2://airflow:$(have airflow_password)@postgres/airflow"
keep mlflow_database "postgresql+psycopg2://mlflow:$(have mlflow_password)@postgres/mlflow"
keep s3_credentials "[default]
aws_access_key_id = $(have s3_access_key)
aws_secret_access_key = $(have s3_secret_key)"
echo "secrets: $folder; the password of Airflow's user admin is in airflow_users"
