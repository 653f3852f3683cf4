terraform {
  required_version = ">= 1.5"
  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = "~> 1.60"
    }
  }
}

variable "region" {
  type        = string
  description = "The region of the functions, and of the groups that they judge."
  default     = "cn-north-4"
}

variable "project" {
  type        = string
  description = "The name of the project whose groups are judged; usually the region's."
  default     = "cn-north-4"
}

variable "project_id" {
  type        = string
  description = "The id of that project."
}

variable "may_change" {
  type        = bool
  description = "Whether the agency may change groups. The policy decides whether it does."
  default     = false
}

variable "store" {
  type        = string
  description = "postgresql://... ; needed as soon as a mode other than observe is permitted."
  default     = ""
  sensitive   = true
}

locals {
  functions = toset(["cloud_event", "delete_request"])
  observe   = ["VPC ReadOnlyAccess", "ECS ReadOnlyAccess"]
  changes   = ["VPC FullAccess"]
}

provider "huaweicloud" {
  region = var.region
}

resource "huaweicloud_identity_agency" "sgguard" {
  name                   = "sgguard"
  description            = "What the functions of sgguard may do"
  delegated_service_name = "op_svc_cff"

  project_role {
    project = var.project
    roles   = var.may_change ? concat(local.observe, local.changes) : local.observe
  }
}

resource "huaweicloud_fgs_function" "sgguard" {
  for_each = local.functions

  name          = "sgguard-${replace(each.key, "_", "-")}"
  app           = "default"
  agency        = huaweicloud_identity_agency.sgguard.name
  handler       = "index.handler"
  runtime       = "Python3.12"
  code_type     = "zip"
  code_filename = "${each.key}.zip"
  func_code     = filebase64("${path.module}/${each.key}.zip")
  memory_size   = 256
  timeout       = 30

  initializer_handler = "index.initializer"
  initializer_timeout = 30

  user_data = jsonencode({
    SGGUARD_DEADLINE_S         = "25"
    HUAWEICLOUD_SDK_PROJECT_ID = var.project_id
    HUAWEICLOUD_SDK_REGION     = var.region
  })

  encrypted_user_data = var.store == "" ? null : jsonencode({ SGGUARD_STORE = var.store })
}

resource "huaweicloud_fgs_function_trigger" "calls" {
  function_urn = huaweicloud_fgs_function.sgguard["cloud_event"].urn
  type         = "CTS"

  event_data = jsonencode({
    name = "sgguard"
    operations = [
      "VPC:security-groups:createSecurity-group;updateSecurity-group;deleteSecurity-group",
      "VPC:security-group-rules:createSecurity-group-rule;updateSecurity-group-rule;deleteSecurity-group-rule",
      "ECS:ecs:createServer;createSingleServer;deleteServer;addNic;deleteNic",
    ]
  })
}
