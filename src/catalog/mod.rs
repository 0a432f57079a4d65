//! How a service is found: descriptors and pages.
