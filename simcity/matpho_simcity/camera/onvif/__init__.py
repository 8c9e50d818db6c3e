"""The ONVIF services of one camera: SOAP 1.2, one file per service, each with its table of operations."""
