-- CloudWatch: metrics of AWS as CSV (timestamp, value; the file names the metric), or JSON of get-metric-data and get-metric-statistics
--
-- CSV as in numenta/NAB, realAWSCloudwatch: ec2_cpu_utilization_24ae8d.csv is the metric cpu_utilization of ec2_24ae8d.
-- JSON as the AWS CLI prints it, also several answers in a list. A metric is known by its whole name in a label; of get-metric-data else in the query's
-- Id, and where no result of a file tells one there, in the file's name, as of CSV. CPUUtilization is percent of the
-- machine's cores, NetworkIn, DiskReadBytes, RequestCount and their like are bytes or counts of a period, which is the
-- usual step between samples. Sizes are told nowhere. Times without a zone are UTC.

create temp table readings (
    "timestamp" timestamp not null check ("timestamp" between '1970-01-01' and '2100-01-01'),
    value double not null check (value between 0 and 1e18),
    unit varchar
);
comment on table readings is '{"named": true}';

create temp table metric_data (
    id varchar,
    label varchar not null,
    moment timestamp not null check (moment between '1970-01-01' and '2100-01-01'),
    value double not null check (value between 0 and 1e18)
);
comment on table metric_data is '{"named": true, "keys": ["MetricDataResults"]}';

create temp view metric_data_in_document as
with results as (
    select unnest(r.MetricDataResults) as m from (
        select from_json(body, '{"MetricDataResults":[{"Id":"VARCHAR","Label":"VARCHAR","Timestamps":["VARCHAR"],"Values":["VARCHAR"]}]}') as r
        from objects_in('document')
    )
),
pairs as (select m.Id as id, m.Label as label, unnest(list_zip(m.Timestamps, m.Values)) as pair from results)
select id, coalesce(label, id) as label, pair[1] as moment, pair[2] as value from pairs;

create temp table statistics (
    label varchar not null,
    moment timestamp not null check (moment between '1970-01-01' and '2100-01-01'),
    average double check (average between 0 and 1e18),
    total double check (total between 0 and 1e18),
    maximum double check (maximum between 0 and 1e18),
    counted double check (counted between 0 and 1e18),
    unit varchar,
    check (coalesce(average, total, maximum) is not null)
);
comment on table statistics is '{"named": true, "keys": ["Label", "Datapoints"]}';

-- What is told of an answer is read before its data points are unnested, which would carry its text beside each.
create temp view statistics_in_document as
with told as (
    select body->>'Label' as label, from_json(body->'Datapoints', '[{"Timestamp":"VARCHAR","Average":"VARCHAR","Sum":"VARCHAR","Maximum":"VARCHAR","SampleCount":"VARCHAR","Unit":"VARCHAR"}]') as points
    from objects_in('document')
)
select label, d.Timestamp as moment, d.Average as average, d.Sum as total, d.Maximum as maximum, d.SampleCount as counted,
    d.Unit as unit
from (select label, unnest(points) as d from told);

-- Answers without data say so.
create temp table empty_metric_data (reason varchar);
comment on table empty_metric_data is '{"keys": ["MetricDataResults"], "silent": true}';
create temp view empty_metric_data_in_document as
select 'holds no data points: CloudWatch has none of these metrics, dimensions and periods in that time' as reason
from objects_in('document');

create temp table empty_statistics (reason varchar);
comment on table empty_statistics is '{"keys": ["Label", "Datapoints"], "silent": true}';
create temp view empty_statistics_in_document as
select format('holds no data points of {}: CloudWatch has none of this metric, dimension and period in that time', body->>'Label') as reason
from objects_in('document');

-- The measure that a metric is, known by its name written in any way; null for names that begin or end as one of those.
create temp table metrics as
select * from (values
    ('cpuutilization', 'cpu_percent', 1.0, false),
    ('memoryutilization', 'memory_percent', 1.0, false),
    ('memusedpercent', 'memory_percent', 1.0, false),
    ('memoryused', 'memory_gib', 1073741824.0, false),
    ('memused', 'memory_gib', 1073741824.0, false),
    ('networkin', 'network_in_mib_per_s', 1048576.0, true),
    ('networkout', 'network_out_mib_per_s', 1048576.0, true),
    ('networkreceivethroughput', 'network_in_mib_per_s', 1048576.0, false),
    ('networktransmitthroughput', 'network_out_mib_per_s', 1048576.0, false),
    ('diskreadbytes', 'disk_read_mib_per_s', 1048576.0, true),
    ('diskwritebytes', 'disk_write_mib_per_s', 1048576.0, true),
    ('ebsreadbytes', 'disk_read_mib_per_s', 1048576.0, true),
    ('ebswritebytes', 'disk_write_mib_per_s', 1048576.0, true),
    ('readthroughput', 'disk_read_mib_per_s', 1048576.0, false),
    ('writethroughput', 'disk_write_mib_per_s', 1048576.0, false),
    ('diskreadops', 'disk_iops', 1.0, true),
    ('diskwriteops', 'disk_iops', 1.0, true),
    ('readiops', 'disk_iops', 1.0, false),
    ('writeiops', 'disk_iops', 1.0, false),
    ('requestcount', 'requests_per_s', 1.0, true),
    ('requestcountpertarget', null, 1.0, false),
    ('enginecpuutilization', null, 1.0, false),
    ('gpumemoryutilization', null, 1.0, false)
) as t(word, measure, unit, per_period);

create temp macro plain(words) as regexp_replace(lower(words), '[^a-z0-9]+', '', 'g');
-- A metric's name as a pattern in which anything but letters may stand between its parts.
create temp macro spelled(word) as '(?i)' || array_to_string(string_split(word, ''), '[^a-z0-9]*');

-- Whether a metric's name stands in words, not as a part of another word.
create temp macro names_metric(words, word) as
    contains(plain(words), word) and regexp_matches(words, '(^|[^A-Za-z0-9])' || spelled(word) || '($|[^A-Za-z0-9])');

-- How many bytes (or of what else is counted) are one of a unit that CloudWatch knows; its prefixes are powers of 1,024.
create temp macro in_one(unit) as
    case regexp_extract(lower(unit), '^(kilo|mega|giga|tera)?(bytes|bits)(/second)?$', 1)
        when 'kilo' then 1024 when 'mega' then 1048576 when 'giga' then 1073741824 when 'tera' then 1099511627776 else 1 end
    / case when regexp_matches(lower(unit), '^(kilo|mega|giga|tera)?bits') then 8 else 1 end;

create temp table told as
select file, value, "timestamp" as moment, cast(null as double) as sum_value, null as label, null as id, false as by_label,
    coalesce(in_one(unit), 1) as told_unit
from readings
union all by name
select file, value, moment, label, id, false as by_label from metric_data
union all by name
select file, coalesce(average, maximum, total) as value, moment, label, true as by_label,
    coalesce(total, average * counted, average, maximum) as sum_value, coalesce(in_one(unit), 1) as told_unit
from statistics;

create temp table results as select distinct file, label, id, by_label from told;

-- The longest name of a metric in each label, Id and file's name.
create temp table spoken as
select words, m.* from (select label as words from results union select id from results union select file from results)
join metrics m on names_metric(words, m.word)
qualify row_number() over (partition by words order by length(m.word) desc, m.word) = 1;

create temp table named as
with worded as (
    select r.*, coalesce(l.word, i.word) as own,
        coalesce(own, case when not by_label and count(own) over (partition by r.file) = 0 then f.word end) as word
    from results r
    left join spoken l on r.label = l.words left join spoken i on r.id = i.words left join spoken f on r.file = f.words
),
-- Results of one file that nothing but their Ids tells apart are workloads each.
lettered as (
    select *, label || case when count(*) over (partition by file, label, word) > 1 then ' ' || id else '' end as called
    from worded left join metrics using (word)
)
-- The workload is what is left of a label or of a file's name without the metric's; an instance is known by its id.
select file, label, id, word, measure, unit, per_period,
    coalesce(
        nullif(regexp_extract(coalesce(label, '') || ' ' || file,
            '(?:^|[^0-9A-Za-z])(i-[0-9a-f]{4,17}|(?:app|net)/[^ ]+)(?:$|[^0-9A-Za-z])', 1), ''),
        nullif(trim(regexp_replace(regexp_replace(called, spelled(coalesce(word, '-')), ' '), '[\s_:|-]+', ' ', 'g')), ''),
        nullif(trim(regexp_replace(regexp_replace(file, spelled(coalesce(word, '-')), '_'), '_+', '_', 'g'), '_'), ''),
        file) as workload
from lettered;

create temp table all_points as
select n.word, t.file, t.label, t.id, n.measure, n.unit, n.per_period, t.moment, n.workload,
    case when n.per_period then coalesce(t.sum_value, t.value) else t.value end * coalesce(told_unit, 1) as value
from told t join named n
    on t.file = n.file and t.label is not distinct from n.label and t.id is not distinct from n.id;

-- Files of stretches of time that overlap tell a sample twice; of a period that was not over yet the later one tells more.
create temp table points as
select * exclude (first_file) from (
    select *, first_value(file) over (partition by workload, word, label, moment order by value desc, file) as first_file
    from all_points
) where file = first_file or word is null;

create temp table periods as
select file, label, id, coalesce(mode(step) filter (step > 0), 300) as seconds
from (
    select file, label, id, date_diff('second', lag(moment) over (partition by file, label, id order by moment), moment) as step
    from points
) group by all;

insert into usage by name
with scaled as (
    select workload, moment as sampled_at, measure,
        case when measure in ('cpu_percent', 'memory_percent') then max(value)
            else exact_sum(value / unit / case when per_period then p.seconds else 1 end) end as amount
    from points t join periods p
        on t.file = p.file and t.label is not distinct from p.label and t.id is not distinct from p.id
    where measure is not null group by workload, moment, measure
),
wide as (
    pivot scaled on measure in ('cpu_percent', 'memory_percent', 'memory_gib', 'network_in_mib_per_s',
        'network_out_mib_per_s', 'disk_read_mib_per_s', 'disk_write_mib_per_s', 'disk_iops', 'requests_per_s')
    using any_value(amount)
)
select $trace_id as trace_id, * from wide;

insert into workloads by name
select distinct $trace_id as trace_id, workload, 'vm' as kind from points
where measure is not null or not exists (from points where measure is not null);

insert into notes
select format('{} metrics are none that is planned by and are passed over: {}', count(*), string_agg(name, ', ' order by name))
from (select distinct coalesce(label, file) as name from points where measure is null) having count(*) > 0;

insert into notes
select format('{} samples are in several files: they are counted once, with the highest value', n)
from (select (select count(*) from all_points) - (select count(*) from points) as n) where n > 0;

insert into notes
select 'CloudWatch tells no sizes: cores and memory of the machines are the scenario''s assumption' from points
having count(*) > 0;

insert into notes
select format('{} samples have the time of another of the same metric; they are added up, of percents the highest counts', sum(n - 1)) from (
    select count(*) as n from points where measure is not null group by file, label, id, moment having count(*) > 1
) having count(*) > 0;
