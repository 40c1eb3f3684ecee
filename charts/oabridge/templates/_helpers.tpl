{{/* Beginning of all names. The release "oabridge" gives the names of config/default. */}}
{{- define "oabridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether something of the Prometheus operator is made: as the value says, or with auto where the cluster has its kind. */}}
{{- define "oabridge.monitored" -}}
{{- if or (eq (toString .enabled) "true") (and (eq (toString .enabled) "auto") (.capabilities.APIVersions.Has (print "monitoring.coreos.com/v1/" .kind))) -}}
yes
{{- end -}}
{{- end -}}

{{- define "oabridge.manager" -}}
{{ include "oabridge.fullname" . }}-manager
{{- end -}}

{{- define "oabridge.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "oabridge.manager" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "oabridge.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Four fifths of a memory limit in Mi or Gi; nothing for other units. */}}
{{- define "oabridge.goMemLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if regexMatch "^[0-9]+Mi$" $limit -}}
{{- div (mul (trimSuffix "Mi" $limit | int) 4) 5 -}}MiB
{{- else if regexMatch "^[0-9]+Gi$" $limit -}}
{{- div (mul (trimSuffix "Gi" $limit | int) 4096) 5 -}}MiB
{{- end -}}
{{- end -}}

{{- define "oabridge.labels" -}}
app.kubernetes.io/name: oabridge
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "oabridge.selector" -}}
app.kubernetes.io/name: oabridge
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end -}}

{{/* The lease of the managers of one class. */}}
{{- define "oabridge.lease" -}}
oabridge-manager{{ with .Values.controllerClass }}-{{ . }}{{ end }}.oabridge.dev
{{- end -}}

{{/* Namespaces that get a Role, one a line: those that are watched and the release's own, which has the presets. */}}
{{- define "oabridge.roleNamespaces" -}}
{{- if .Values.watchNamespaces -}}
{{- append .Values.watchNamespaces .Release.Namespace | uniq | join "\n" -}}
{{- end -}}
{{- end -}}

{{/* The rules that are generated from the markers in controllers/. */}}
{{- define "oabridge.rules" -}}
{{- .Files.Get "files/role.yaml" | regexFind "(?s)\nrules:\n.*" | trim -}}
{{- end -}}
