"""The block format: OTLP -> Arrow -> Parquet and back. No boto3, no clock."""
