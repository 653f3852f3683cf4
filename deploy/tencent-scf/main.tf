terraform {
  required_version = ">= 1.5"
  required_providers {
    tencentcloud = {
      source  = "tencentcloudstack/tencentcloud"
      version = "~> 1.82"
    }
  }
}

variable "region" {
  type        = string
  description = "The region of the functions. CloudAudit's events are in ap-guangzhou only."
  default     = "ap-guangzhou"
}

variable "uin" {
  type        = string
  description = "The account (uin) that owns the functions."
}

variable "event_bus_id" {
  type        = string
  description = "The event bus of Tencent Cloud's own services, such as eb-xxxxxxxx."
}

variable "runtime" {
  type        = string
  description = "Must be the Python that the package was built for."
  default     = "Python3.11"
}

variable "changes" {
  type        = set(string)
  description = "What the role may change: delete, rules, holders. The policy decides whether it does."
  default     = []
}

variable "store" {
  type        = string
  description = "postgresql://... ; needed as soon as a mode other than observe is permitted."
  default     = ""
  sensitive   = true
}

variable "vpc_id" {
  type    = string
  default = null
}

variable "subnet_id" {
  type    = string
  default = null
}

locals {
  functions = toset(["cloud_event", "delete_request"])
}

provider "tencentcloud" {
  region = var.region
}

resource "tencentcloud_cam_role" "sgguard" {
  name        = "sgguard"
  description = "What the functions of sgguard may do"
  document = jsonencode({
    version = "2.0"
    statement = [{
      action    = ["name/sts:AssumeRole"]
      effect    = "allow"
      principal = { service = ["scf.qcloud.com"] }
    }]
  })
}

resource "tencentcloud_cam_policy" "observe" {
  name     = "sgguard-observe"
  document = file("${path.module}/observe.json")
}

resource "tencentcloud_cam_policy" "changes" {
  for_each = var.changes

  name     = "sgguard-${each.key}"
  document = file("${path.module}/${each.key}.json")
}

resource "tencentcloud_cam_role_policy_attachment" "observe" {
  role_id   = tencentcloud_cam_role.sgguard.id
  policy_id = tencentcloud_cam_policy.observe.id
}

resource "tencentcloud_cam_role_policy_attachment" "changes" {
  for_each = var.changes

  role_id   = tencentcloud_cam_role.sgguard.id
  policy_id = tencentcloud_cam_policy.changes[each.key].id
}

resource "tencentcloud_scf_function" "sgguard" {
  for_each = local.functions

  name      = "sgguard-${replace(each.key, "_", "-")}"
  handler   = "index.main_handler"
  runtime   = var.runtime
  zip_file  = "${path.module}/${each.key}.zip"
  mem_size  = 256
  timeout   = 30
  role      = tencentcloud_cam_role.sgguard.name
  vpc_id    = var.vpc_id
  subnet_id = var.subnet_id

  environment = merge(
    { SGGUARD_DEADLINE_S = "25" },
    var.store == "" ? {} : { SGGUARD_STORE = var.store },
  )
}

resource "tencentcloud_scf_function_event_invoke_config" "sgguard" {
  for_each = local.functions

  function_name = tencentcloud_scf_function.sgguard[each.key].name
  namespace     = "default"

  async_trigger_config {
    msg_ttl = 21600

    retry_config {
      retry_num = 2
    }
  }
}

resource "tencentcloud_eb_event_rule" "calls" {
  event_bus_id = var.event_bus_id
  rule_name    = "sgguard"
  description  = "Calls about security groups, by program, console and mini program"
  enable       = true
  event_pattern = jsonencode({
    source = ["vpc.cloud.tencent", "cvm.cloud.tencent"]
    type = [
      "vpc:CloudEvent:ApiCall", "vpc:CloudEvent:ConsoleCall", "vpc:CloudEvent:MiniProgramCall",
      "cvm:CloudEvent:ApiCall", "cvm:CloudEvent:ConsoleCall", "cvm:CloudEvent:MiniProgramCall",
    ]
  })
}

resource "tencentcloud_eb_event_target" "cloud_event" {
  event_bus_id = var.event_bus_id
  rule_id      = tencentcloud_eb_event_rule.calls.rule_id
  type         = "scf"

  target_description {
    resource_description = "qcs::scf:${var.region}:uin/${var.uin}:namespace/default/function/${tencentcloud_scf_function.sgguard["cloud_event"].name}/$LATEST"
  }
}
