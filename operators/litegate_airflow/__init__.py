"""How Airflow calls litegate. Imports nothing: Airflow loads this package to discover the provider."""
