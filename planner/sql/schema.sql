-- The tables of a workspace. Sections are migrations: each runs once, in order, forward only; a section that has
-- been released never changes, a change is a new section.

-- version 1
create table traces (
    trace_id varchar primary key,      -- hash of the contents and the format
    name varchar not null,
    format varchar not null,
    reason varchar not null,           -- why this format
    ingested_at timestamp not null,    -- UTC, as every time here
    workloads bigint not null,
    samples bigint not null,
    rejected bigint not null,
    lines bigint not null,             -- data lines read; loaded + rejected = lines
    "start" timestamp,
    "end" timestamp,
    calls double not null,
    gb_seconds double not null,
    notes varchar[] not null,
    quality varchar not null           -- JSON: stars_1 .. stars_5, active, idle, zombie, unknown
);

create table workloads (
    trace_id varchar not null,
    workload varchar not null,
    kind varchar not null,             -- vm | function | container | server
    owner varchar,
    application varchar,
    cpu_cores double,                  -- allocated; null: unknown
    memory_gib double,
    gpus double,
    storage_gib double,
    arch varchar,                      -- x86_64 | arm64
    residency varchar,
    spread_group varchar,
    interruptible boolean,
    scales_out boolean,
    seconds_per_request double,
    memory_gib_per_request double,
    cores_per_request double,
    created_at timestamp,              -- null: before the trace or unknown
    deleted_at timestamp,
    cpu_percent_mean double,           -- a summary that serves where there are no samples
    cpu_percent_p95 double,
    cpu_percent_max double
);

create table usage (
    trace_id varchar not null,
    workload varchar not null,
    sampled_at timestamp not null,
    cpu_cores double,                  -- used
    memory_gib double,
    cpu_percent double,                -- of what is allocated, where the recording says so
    memory_percent double,
    disk_read_mib_per_s double,
    disk_write_mib_per_s double,
    disk_iops double,
    network_in_mib_per_s double,
    network_out_mib_per_s double,
    requests_per_s double,
    allocated_cpu_cores double,        -- size at that moment, where the recording says so
    allocated_memory_gib double
);

create table calls (
    trace_id varchar not null,
    workload varchar not null,         -- a function
    minute timestamp not null,
    calls double not null,             -- started in that minute; minutes without calls have no row
    seconds_per_call double,           -- average; null: unknown
    memory_mb double                   -- average allocated; null: unknown
);

create table minutes (                 -- minutes in which calls were recorded, so that silence is known from absence
    trace_id varchar not null,
    minute timestamp not null
);

create table quality (
    trace_id varchar not null,
    workload varchar not null,
    samples bigint not null,
    expected_samples bigint not null,
    gaps bigint not null,              -- stretches without a sample, inside the recording
    stars integer not null,            -- 1 .. 5
    activity varchar not null          -- active | idle | zombie | unknown
);

create table rejects (
    trace_id varchar not null,
    file varchar not null,
    line bigint not null,
    reason varchar not null,
    text varchar
);

create table offers (
    book varchar not null,
    sku varchar not null,
    kind varchar not null,
    provider varchar not null,
    region varchar not null,
    term varchar not null,
    unit varchar not null,
    usd_per_unit double not null,
    tier_from double not null,
    tier_to double,
    cpu_cores double,
    memory_gib double,
    gpus double,
    storage_gib double,
    physical_cores double,
    sockets double,
    family varchar,
    category varchar,
    arch varchar,
    max_pods double,
    lifetime_months double,
    idle_watts double,
    peak_watts double,
    low double,
    high double,
    status varchar not null,
    source varchar not null,
    as_of varchar not null,
    note varchar
);

create table facts (
    book varchar not null,
    topic varchar not null,
    key varchar not null,
    metric varchar not null,
    value double,
    unit varchar not null,
    low double,
    high double,
    status varchar not null,
    source varchar not null,
    as_of varchar not null,
    note varchar
);

create table studies (
    study_id varchar primary key,
    saved_at timestamp not null,
    document varchar not null          -- the study as JSON
);

create table plans (
    study_id varchar not null,
    model varchar not null,
    year integer not null,
    usd_per_month double not null,
    cpu_utilisation double,
    memory_utilisation double,
    certificate_usd double,
    bound_usd double,
    gap double,
    method varchar
);

create table lines (
    study_id varchar not null,
    model varchar not null,
    year integer not null,
    sku varchar not null,
    provider varchar not null,
    region varchar not null,
    term varchar not null,
    kind varchar not null,
    category varchar not null,
    unit varchar not null,
    quantity double not null,
    usd_per_unit double not null,
    usd_per_month double not null,
    usd_once double,
    offer_kind varchar,
    status varchar,
    lifetime_months double,
    tier_from double,
    low double,
    high double,
    source varchar not null,
    as_of varchar not null
);

create table placements (
    study_id varchar not null,
    model varchar not null,
    year integer not null,
    workload varchar not null,
    replica bigint not null,
    sku varchar not null,
    box bigint not null
);

-- version 2
-- Allocated as a share of a machine whose size only the scenario can tell, where recordings are normalised to their
-- largest machine. The percents of such a workload's usage are then of that machine too.
alter table workloads add column cpu_share double;
alter table workloads add column memory_share double;

-- version 3
-- Inventories tell one reading, or a mean and a maximum, where there are no samples; bills are recordings without
-- workloads; call graphs say who calls whom.
alter table workloads add column memory_percent_mean double;
alter table workloads add column memory_percent_p95 double;
alter table workloads add column memory_percent_max double;
alter table workloads add column told_disk_iops double;            -- a mean or one reading, where there are no samples
alter table workloads add column told_network_mib_per_s double;    -- sent out on average
alter table workloads add column told_requests_per_s double;       -- served on average

alter table traces add column charges bigint default 0;
alter table traces add column flows bigint default 0;

create table charges (
    trace_id varchar not null,
    provider varchar not null,
    service_category varchar not null,
    service varchar not null,
    sku varchar,
    resource varchar,
    resource_type varchar,
    account varchar,
    region varchar,
    charge_category varchar not null,   -- Usage | Purchase | Tax | Credit | Adjustment
    pricing_category varchar,
    commitment varchar,
    correction boolean not null,        -- of a month that was billed before
    month date not null,                -- first day of the month in which the charge begins
    period_start timestamp not null,    -- of the charge; the end is exclusive
    period_end timestamp not null,
    billed_amount double not null,      -- in `currency`
    effective_amount double not null,   -- commitments spread over what they were used for
    list_amount double,
    quantity double,
    unit varchar,
    currency varchar not null
);

create table traffic (
    trace_id varchar not null,
    caller varchar not null,
    callee varchar not null,
    sampled_at timestamp,               -- null: an average over all of the recording
    requests_per_s double,
    mib_per_s double                    -- from caller to callee and back
);

-- version 4
create table scenarios (               -- studies that someone gave a name
    name varchar primary key,
    study_id varchar not null,
    based_on varchar,                  -- the study it was made from by changing settings; null: from none
    saved_at timestamp not null
);

-- version 5
-- Each recording has its samples in a table of its own, samples_ and its id, with the columns that it tells and no
-- others; view usage shows all of them with all columns, and is made anew whenever a recording comes.
alter table usage rename to samples_before;    -- recordings from before this version; and all columns there may be
create view usage as from samples_before;

-- version 6
-- Recordings whose samples stay where they are, in Spark, and are reduced there.
create table resident (
    trace_id varchar not null,
    address varchar not null
);
