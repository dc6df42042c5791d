"""The pipeline, whoever runs it: which steps in which order, and what each of them is asked, from what others found.

Pure but for `local`, which runs it in child processes of this process. Neither Airflow nor MLflow is needed here.
"""
