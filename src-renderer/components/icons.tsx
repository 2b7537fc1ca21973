/** Our icons: one stroke, 24 units square, in the colour of the text. They are decoration; names stand beside them. */
import type { ReactNode } from "react";

export interface IconProps {
  readonly className?: string;
}

function icon(children: ReactNode) {
  return function Icon({ className }: IconProps) {
    return (
      <svg className={className === undefined ? "icon" : `icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
        {children}
      </svg>
    );
  };
}

export const OverviewIcon = icon(<path d="M3 12l9-8 9 8M5.5 10v9.5h13V10M10 19.5v-5h4v5" />);
export const ClientsIcon = icon(
  <>
    <circle cx="9" cy="8" r="3.5" />
    <path d="M2.5 20c.4-4 3-6 6.5-6s6.1 2 6.5 6M16 4.800a3.5 3.5 0 0 1 0 6.400M18.5 14.800c1.7.8 2.8 2.5 3 5.2" />
  </>,
);
export const NetworkIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c3 3 3.8 6 3.8 9s-.8 6-3.8 9c-3-3-3.8-6-3.8-9s.8-6 3.8-9" />
  </>,
);
export const PrivacyIcon = icon(
  <>
    <path d="M12 3l7.5 3v5.500c0 4.7-3 7.9-7.5 9.5-4.5-1.6-7.5-4.8-7.5-9.500V6z" />
    <path d="M9 12l2.2 2.200L15.2 10" />
  </>,
);
export const HealthIcon = icon(<path d="M2.5 12.500h4.500l2.5-6.5 4.5 12 2.5-5.500h5" />);
export const SettingsIcon = icon(
  <>
    <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
    <circle cx="15" cy="7" r="2" />
    <circle cx="9" cy="17" r="2" />
  </>,
);
export const PowerIcon = icon(<path d="M12 3v8M6.3 6.800a8 8 0 1 0 11.4 0" />);
export const CheckIcon = icon(<path d="M4.5 12.500l5 5 10-11" />);
export const AttentionIcon = icon(<path d="M12 4l9 16H3zM12 10v4.500M12 17.300v.01" />);
export const ErrorIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M9 9l6 6M15 9l-6 6" />
  </>,
);
export const InfoIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5.500M12 7.700v.01" />
  </>,
);
export const UnknownIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M9.5 9.500a2.5 2.5 0 1 1 3.7 2.200c-.8.5-1.2 1-1.2 1.900M12 16.800v.01" />
  </>,
);
export const OffIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M8 12h8" />
  </>,
);
export const BusyIcon = icon(<path d="M12 3a9 9 0 1 1-9 9" />);
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5.5 15H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v.5" />
  </>,
);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SearchIcon = icon(
  <>
    <circle cx="10.5" cy="10.5" r="6.5" />
    <path d="M15.5 15.500L21 21" />
  </>,
);
export const PauseIcon = icon(<path d="M8.5 5v14M15.5 5v14" />);
export const PlayIcon = icon(<path d="M7.5 5l11 7-11 7z" />);
export const TrashIcon = icon(
  <path d="M4 6.500h16M9 6.500V4h6v2.500M6.5 6.500l1 13.500h9l1-13.500M10 10.500v6M14 10.500v6" />,
);
export const QrIcon = icon(
  <path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 14h2M20 18v2h-2M14 20v-2M7 7v.01M17 7v.01M7 17v.01" />,
);
export const LimitIcon = icon(<path d="M4.5 18.500a9 9 0 1 1 15 0M12 14l4-5.500M12 15v.01" />);
export const DownloadIcon = icon(<path d="M12 4v11M7 10.500l5 5 5-5M4.5 20h15" />);
export const UploadIcon = icon(<path d="M12 20V9M7 13.500l5-5 5 5M4.5 4h15" />);
export const ArrowDownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const ArrowUpIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const ChevronIcon = icon(<path d="M9 5l7 7-7 7" />);
export const RefreshIcon = icon(<path d="M20 5v5h-5M19.5 10A8 8 0 1 0 20 14" />);
export const DirectIcon = icon(<path d="M3 12h17M14 6l6 6-6 6" />);
export const RelayIcon = icon(
  <>
    <circle cx="12" cy="7" r="3" />
    <path d="M3 19l6.5-9M14.5 10L21 19M16.5 19H21v-4.5" />
  </>,
);
export const RouterIcon = icon(
  <>
    <rect x="3" y="13" width="18" height="7" rx="2" />
    <path d="M7 16.500v.01M11 16.500v.01M17 13V8M13.5 6.500a5 5 0 0 1 7 0M15.3 8.500a2.5 2.5 0 0 1 3.4 0" />
  </>,
);
export const ComputerIcon = icon(
  <>
    <rect x="3" y="4.5" width="18" height="12" rx="1.5" />
    <path d="M9 20h6M12 16.500V20" />
  </>,
);
export const ProviderIcon = icon(<path d="M4 20V9l8-5 8 5v11M4 20h16M9 20v-6h6v6M9 10h.01M15 10h.01" />);
export const LockIcon = icon(
  <>
    <rect x="5" y="11" width="14" height="9" rx="2" />
    <path d="M8 11V8a4 4 0 0 1 8 0v3" />
  </>,
);
export const ClockIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v5.500l3.5 2" />
  </>,
);
export const FileIcon = icon(<path d="M6 3h8l5 5v13H6zM14 3v5h5" />);
export const ExternalIcon = icon(<path d="M14 4h6v6M20 4l-9 9M18 14v6H4V6h6" />);
