/** The version of this server, as the API description shows it. */
export const VERSION = '0.0.0';
