"""Steps as Kubernetes pods, by Airflow's provider for Kubernetes; `LITEGATE_EXECUTOR=pod`."""
