#!/usr/bin/env node
import '../dist/main-test.js';
