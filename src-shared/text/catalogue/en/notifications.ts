export const notifications = {
  offline: "HiggsNode is offline",
  online: "HiggsNode is back online",
  newClient: "New client: {{name}}",
  newClientDetail: "Connected for the first time.",
  onlineDetail: "Guests can use your connection again.",
  quotaDetail: "Open the panel to see or change the quota.",
  quota: "{{name}} has used {{percent}} of this month's data",
} as const;
