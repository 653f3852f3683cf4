#!/bin/bash
# Deploys the function delete_request: PROJECT, REGION and the policy beside this file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

: "${PROJECT:?the project}" "${REGION:=europe-west1}"

sgguard package delete_request --runtime google-cloud-run --policy policy.toml \
  --compile-with "${PYTHON:-python3.12}" -o delete_request.zip
rm -rf source
mkdir source
python3 -m zipfile -e delete_request.zip source

gcloud functions deploy sgguard-delete-request \
  --gen2 \
  --project="$PROJECT" \
  --region="$REGION" \
  --runtime=python312 \
  --source=source \
  --entry-point=delete_request \
  --trigger-http \
  --no-allow-unauthenticated \
  --ingress-settings=all \
  --service-account="sgguard@$PROJECT.iam.gserviceaccount.com" \
  --memory=512Mi \
  --cpu=1 \
  --concurrency=40 \
  --timeout=30s \
  --max-instances=20 \
  --set-env-vars=SGGUARD_DEADLINE_S=25,THREADS=64 \
  --set-secrets=TENCENTCLOUD_SECRET_ID=tencent-key-id:latest,TENCENTCLOUD_SECRET_KEY=tencent-key:latest
