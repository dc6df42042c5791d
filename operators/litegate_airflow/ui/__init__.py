"""What people see in Airflow: pages, forms and links."""
