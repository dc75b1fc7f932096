import { choice, flag, integer, list, mapping, text } from '../formats.js';
import { requiredPath, webUrl } from '../places.js';
import { group, inert, leaf, type Report, secret, section } from '../schema.js';
import { CONTRACT, secretText } from './shared.js';

const mailAddress = text({ expects: 'a mail address', pattern: /^[^\s@<>]+@[^\s@<>]+$/ });
const optionalMailAddress = text({ expects: 'a mail address', pattern: /^[^\s@<>]+@[^\s@<>]+$/, allowEmpty: true });

export const alerting = section(
  'Who is told what. The engine reads it.',
  inert({
    rules_file: leaf({
      format: requiredPath,
      default: 'alerting/alert_rules.yaml',
      doc: 'Rules that make alerts.',
      source: CONTRACT,
      reloadable: true,
    }),
    channels: group('Ways to tell people.', {
      slack: group('Slack.', {
        enabled: leaf({ format: flag, default: false, doc: 'Sends there.', source: CONTRACT, reloadable: true }),
        ...secret('webhook_url', {
          format: webUrl({ allowEmpty: true }),
          default: '',
          doc: 'Incoming webhook.',
          source: CONTRACT,
          reloadable: true,
        }),
        default_channel: leaf({
          format: text({ expects: 'a channel', allowEmpty: true }),
          default: '',
          doc: 'Channel where a rule names none; "" = that of the webhook.',
          source: CONTRACT,
          reloadable: true,
        }),
      }),
      pagerduty: group('PagerDuty.', {
        enabled: leaf({ format: flag, default: false, doc: 'Sends there.', source: CONTRACT, reloadable: true }),
        ...secret('integration_key', {
          format: secretText(0),
          default: '',
          doc: 'Events v2 integration key.',
          source: CONTRACT,
          reloadable: true,
        }),
        severity_mapping: leaf({
          format: mapping(choice('critical', 'error', 'warning', 'info')),
          default: { CRITICAL: 'critical', HIGH: 'error', WARNING: 'warning', INFO: 'info' },
          doc: "PagerDuty's severity for each of ours.",
          source: CONTRACT,
          reloadable: true,
        }),
      }),
      email: group('Mail.', {
        enabled: leaf({ format: flag, default: false, doc: 'Sends there.', source: CONTRACT, reloadable: true }),
        smtp_host: leaf({
          format: text({ expects: 'a host name', allowEmpty: true }),
          default: '',
          doc: 'Mail server.',
          source: CONTRACT,
          reloadable: true,
        }),
        smtp_port: leaf({
          format: integer(1, 65_535),
          default: 587,
          doc: 'Its port; STARTTLS is used.',
          source: CONTRACT,
          reloadable: true,
        }),
        smtp_username: leaf({
          format: text({ expects: 'a user name', allowEmpty: true }),
          default: '',
          doc: 'User of the mail server; "" = no login.',
          source: CONTRACT,
          reloadable: true,
        }),
        ...secret('smtp_password', {
          format: secretText(0),
          default: '',
          doc: 'Password of smtp_username.',
          source: CONTRACT,
          reloadable: true,
        }),
        from_address: leaf({
          format: optionalMailAddress,
          default: '',
          doc: 'Sender.',
          source: CONTRACT,
          reloadable: true,
        }),
        to_addresses: leaf({
          format: list(mailAddress),
          default: [],
          doc: 'Receivers.',
          source: CONTRACT,
          reloadable: true,
        }),
      }),
    }),
  }),
  ({ channels: { email } }, report: Report) => {
    if (!email.enabled) return;
    if (email.smtp_host === '') report('channels.email.smtp_host', 'must be set while channels.email.enabled is true');
    if (email.from_address === '')
      report('channels.email.from_address', 'must be set while channels.email.enabled is true');
    if (email.to_addresses.length === 0) {
      report('channels.email.to_addresses', 'must name a receiver while channels.email.enabled is true');
    }
  },
);
