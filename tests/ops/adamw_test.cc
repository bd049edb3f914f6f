#include "ops/adamw.h"

#include <gtest/gtest.h>
