#include "theatre_host.h"
